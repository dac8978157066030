//! What a step takes.

use std::ops::Add;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// Seconds by the clock, and of all processors together: on a busy machine only these say what the work costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seconds {
    pub(crate) clock: f64,
    pub(crate) processors: f64,
}

impl Add for Seconds {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { clock: self.clock + other.clock, processors: self.processors + other.processors }
    }
}

pub(crate) struct Watch {
    clock: Instant,
    processors: f64,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { clock: Instant::now(), processors: processor_seconds() }
    }

    pub(crate) fn elapsed(&self) -> Seconds {
        Seconds { clock: self.clock.elapsed().as_secs_f64(), processors: processor_seconds() - self.processors }
    }
}

/// Of all threads of this process, those included that have ended.
fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}
