//! The pace of an account (contract 1.5): a bucket that fills at so many requests a second. Who finds it empty is told
//! when to come again.

use std::time::Instant;

pub struct Limit {
    per_second: f64,
    at_once: f64,
    left: f64,
    at: Instant,
    pub refused: usize,
}

impl Limit {
    pub fn new(per_second: u32, at_once: u32) -> Self {
        let at_once = f64::from(at_once);
        Self { per_second: f64::from(per_second), at_once, left: at_once, at: Instant::now(), refused: 0 }
    }

    /// `Err`: in how many whole seconds, one at least, there is room again.
    pub fn take(&mut self) -> Result<(), u64> {
        let now = Instant::now();
        self.left = self.at_once.min(self.left + now.duration_since(self.at).as_secs_f64() * self.per_second);
        self.at = now;
        if self.left >= 1.0 {
            self.left -= 1.0;
            return Ok(());
        }
        self.refused += 1;
        Err((((1.0 - self.left) / self.per_second).ceil() as u64).max(1))
    }
}
