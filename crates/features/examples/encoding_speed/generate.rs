//! A file like those of `MovieLens`, for those who have none at hand.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

const USERS: u64 = 1500;
const MOVIES: u64 = 3900;
const GENRES: [&str; 10] =
    ["Action", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Romance", "Sci-Fi", "Western"];
const AGES: [u64; 7] = [1, 18, 25, 35, 45, 50, 56];
/// Longest history.
const LONGEST: usize = 50;

/// Random numbers, the same on every machine: `SplitMix64`.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (bits ^ (bits >> 31)) % bound
    }

    /// Some movies are seen far more often than others.
    fn movie(&mut self) -> u64 {
        let draw = self.below(MOVIES);
        1 + draw * self.below(MOVIES) / MOVIES
    }
}

/// Writes samples in the order of users and times: two of each event, a seen movie and one that was not.
pub(crate) fn write(file: &Path) -> io::Result<()> {
    let mut out = GzEncoder::new(BufWriter::new(File::create(file)?), Compression::default());
    let columns = "label,userId,movieId,gender,age,occupation,zipCode,genres,histHighRatedMovieIds,negHistMovieIds";
    writeln!(out, "{columns}")?;
    let mut draws = Draws(1);
    for user in 1..=USERS {
        let (gender, age) = (["F", "M"][draws.below(2) as usize], AGES[draws.below(7) as usize]);
        let who = format!("{gender},{age},{},{:05}", draws.below(21), draws.below(600) * 163);
        let mut history: Vec<u64> = (0..2 + draws.below(60)).map(|_| draws.movie()).collect();
        for _ in 0..10 + draws.below(40) {
            let kept = &history[history.len().saturating_sub(LONGEST)..];
            let negatives: Vec<u64> = kept.iter().map(|_| draws.movie()).collect();
            let (seen, other) = (draws.movie(), draws.movie());
            for (label, movie) in [(1, seen), (0, other)] {
                let genres: Vec<&str> =
                    (0..=movie % 3).map(|place| GENRES[((movie + place * 3) % 10) as usize]).collect();
                let [kept, negatives] = [kept, &negatives].map(joined);
                writeln!(out, "{label},{user},{movie},{who},{},{kept},{negatives}", genres.join("|"))?;
            }
            // Not every movie that was seen is liked.
            if draws.below(3) > 0 {
                history.push(seen);
            }
        }
    }
    out.finish()?.flush()
}

fn joined(movies: &[u64]) -> String {
    movies.iter().map(u64::to_string).collect::<Vec<_>>().join("|")
}
