//! Load: what many clients at once measure, as figures that can be compared.

use std::fmt;
use std::time::Duration;

/// The answers that one client or many got, with their times.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// The time of each accepted request.
    accepted: Vec<Duration>,
    /// The time of each request that was refused for load, with 429 or 503 and `Retry-After`.
    refused: Vec<Duration>,
    /// Everything else: other statuses, refusals without `Retry-After`, connections that closed, times out.
    pub failed: Vec<String>,
}

impl Figures {
    /// Adds an accepted request.
    pub fn accept(&mut self, time: Duration) {
        self.accepted.push(time);
    }

    /// Adds a refused request.
    pub fn refuse(&mut self, time: Duration) {
        self.refused.push(time);
    }

    /// Adds the figures of another client.
    pub fn add(&mut self, other: Self) {
        self.accepted.extend(other.accepted);
        self.refused.extend(other.refused);
        self.failed.extend(other.failed);
    }

    /// The number of accepted requests.
    pub fn accepted(&self) -> usize {
        self.accepted.len()
    }

    /// The number of refused requests.
    pub fn refused(&self) -> usize {
        self.refused.len()
    }

    /// The time within which this share of the accepted requests was answered; zero if there are none.
    pub fn quantile(&self, share: f64) -> Duration {
        quantile(&self.accepted, share)
    }

    /// The longest time until a refusal; zero if there is none.
    pub fn longest_refusal(&self) -> Duration {
        quantile(&self.refused, 1.0)
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [p50, p99, most] = [0.5, 0.99, 1.0].map(|share| self.quantile(share).as_millis());
        write!(f, "{} accepted, p50 {p50} ms, p99 {p99} ms, longest {most} ms; ", self.accepted())?;
        write!(f, "{} refused, longest {} ms; ", self.refused(), self.longest_refusal().as_millis())?;
        write!(f, "{} failed", self.failed.len())
    }
}

fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    let last = times.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a length"
    )]
    let at = (last as f64 * share).ceil() as usize;
    times.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_accepted_requests() {
        let mut figures = Figures::default();
        assert_eq!(figures.quantile(0.99), Duration::ZERO);
        (1..=100).rev().for_each(|ms| figures.accept(Duration::from_millis(ms)));
        figures.refuse(Duration::from_secs(3));
        let ms = [0.0, 0.5, 0.99, 1.0].map(|share| figures.quantile(share).as_millis());
        assert_eq!(ms, [1, 51, 100, 100]);
        assert_eq!(figures.longest_refusal(), Duration::from_secs(3));
        let text = "100 accepted, p50 51 ms, p99 100 ms, longest 100 ms; 1 refused, longest 3000 ms; 0 failed";
        assert_eq!(figures.to_string(), text);
    }
}
