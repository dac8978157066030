//! Ways to break bytes.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Bytes that mean something to one format or another.
const TELLING: [u8; 12] = [0, 1, 0x7F, 0x80, 0xFF, b'"', b',', b'\n', b'\r', b'|', b':', b'0'];

/// A stream of numbers that is the same for the same seed.
pub(crate) struct Random {
    seed: u64,
    drawn: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        xxh3_64_with_seed(&self.drawn.to_le_bytes(), self.seed)
    }

    /// A number below `end`; 0 if there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }
}

/// Breaks bytes in one to four places.
pub(crate) fn mutate(sound: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..=random.below(4) {
        let place = random.below(bytes.len());
        let end = (place + 1 + random.below(16)).min(bytes.len());
        match random.below(7) {
            _ if bytes.is_empty() => bytes.push(random.next() as u8),
            0 => bytes[place] ^= 1 << random.below(8),
            1 => bytes[place] = TELLING[random.below(TELLING.len())],
            2 => bytes[place] = random.next() as u8,
            3 => drop(bytes.drain(place..end)),
            4 => bytes.insert(place, TELLING[random.below(TELLING.len())]),
            5 => {
                let copy = bytes[place..end].to_vec();
                let target = random.below(bytes.len());
                bytes.splice(target..target, copy);
            }
            _ => bytes.truncate(place),
        }
    }
    bytes
}
