//! The terms of requests and approvals, and the project's limits for them.

use super::state::Exemption;
use super::term::Term;
use crate::limits::DURATION_DAYS_MAX;
use crate::settings::Settings;
use crate::time::{InvalidTime, Timestamp};
use finding::severity::Severity;

/// An error of the term of a request or an approval.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TermError {
    /// Not exactly one of a number of days, an end and no end is given.
    #[error("exactly one of `duration_days`, `until` and `unlimited` must be given")]
    NotOne,
    /// The number of days is not from 1 to [`DURATION_DAYS_MAX`].
    #[error("expected 1 to {DURATION_DAYS_MAX}, found {0}")]
    Days(u32),
    /// The end is neither a time nor a date.
    #[error(transparent)]
    NotATime(#[from] InvalidTime),
    /// The end has passed, or lies more than [`DURATION_DAYS_MAX`] days ahead.
    #[error("{excess}")]
    Excess {
        /// The term.
        term: Term,
        /// The reason, see [`Term::excess`].
        excess: String,
    },
    /// The term is longer than the project allows for issues of this severity.
    #[error("{excess} for an issue of severity {severity}")]
    TooLong {
        /// The term.
        term: Term,
        /// The reason, see [`Term::excess`].
        excess: String,
        /// The severity that the issue counts as.
        severity: Severity,
    },
    /// The project allows no term without an end.
    #[error("the project's setting `unlimited_exemptions` does not allow exemptions without an end")]
    Unlimited,
}

impl TermError {
    /// The field of a request that is wrong.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NotOne | Self::Days(_) => "duration_days",
            Self::NotATime(_) => "until",
            Self::Excess { term, .. } | Self::TooLong { term, .. } => match term {
                Term::Days(_) => "duration_days",
                Term::Until(_) => "until",
                Term::Unlimited => "unlimited",
            },
            Self::Unlimited => "unlimited",
        }
    }
}

impl Term {
    /// The term of a request: days from the approval, an end (see [`Timestamp::parse_end`]), or no end.
    ///
    /// # Errors
    /// Not exactly one of the three is given, the days or the end are out of range, or the project allows no term
    /// without an end.
    pub fn of_request(
        days: Option<u32>,
        until: Option<&str>,
        unlimited: bool,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Self, TermError> {
        match (days, until, unlimited) {
            (Some(days), None, false) if (1..=DURATION_DAYS_MAX).contains(&days) => Ok(Self::Days(days)),
            (Some(days), None, false) => Err(TermError::Days(days)),
            (None, Some(until), false) => {
                let term = Self::Until(Timestamp::parse_end(until)?);
                let excess = term.excess(now, Some(DURATION_DAYS_MAX));
                excess.map_or(Ok(term), |excess| Err(TermError::Excess { term, excess }))
            }
            (None, None, true) if settings.unlimited_exemptions => Ok(Self::Unlimited),
            (None, None, true) => Err(TermError::Unlimited),
            _ => Err(TermError::NotOne),
        }
    }

    /// Checks that the project lets an issue of this severity be exempted for the term, if it is approved at `now`.
    ///
    /// # Errors
    /// The term has passed, or is longer than the project's limit for the severity.
    pub fn check(self, severity: Severity, settings: &Settings, now: Timestamp) -> Result<(), TermError> {
        let severity = settings.severity_counted(severity);
        let days_max = settings.exemption_days_max.get(&severity).copied();
        match (self.excess(now, None), self.excess(now, days_max)) {
            (Some(excess), _) => Err(TermError::Excess { term: self, excess }),
            (None, Some(excess)) => Err(TermError::TooLong { term: self, excess, severity }),
            (None, None) => Ok(()),
        }
    }
}

impl Exemption {
    /// Checks that the project's settings of today still allow the requested term: they may have changed since the
    /// request. `severity` is the severity now; the higher of it and the severity at the request counts.
    ///
    /// # Errors
    /// The project allows no term without an end, or the term is longer than its limit for the severity.
    pub fn check_term(&self, severity: Severity, settings: &Settings, now: Timestamp) -> Result<(), TermError> {
        if self.term == Term::Unlimited && !settings.unlimited_exemptions {
            return Err(TermError::Unlimited);
        }
        // Without limits only the end counts, and the state checks that.
        if settings.exemption_days_max.is_empty() {
            return Ok(());
        }
        let highest = settings.severity_counted(self.severity).max(settings.severity_counted(severity));
        self.term.check(highest, settings, now)
    }
}

#[cfg(test)]
mod tests {
    use super::super::reach::Reach;
    use super::super::testing::exemption;
    use super::*;

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn now() -> Timestamp {
        Timestamp::from_ms(0)
    }

    fn limits(days: &[(Severity, u32)]) -> Settings {
        Settings { exemption_days_max: days.iter().copied().collect(), ..Settings::default() }
    }

    #[test]
    fn a_request_has_exactly_one_term() {
        let unlimited = Settings { unlimited_exemptions: true, ..Settings::default() };
        let term = |days, until, endless| Term::of_request(days, until, endless, &unlimited, now());
        assert_eq!(term(Some(7), None, false), Ok(Term::Days(7)));
        assert_eq!(term(None, Some("1970-01-02"), false), Ok(Term::Until(Timestamp::from_ms(2 * DAY))));
        assert_eq!(term(None, None, true), Ok(Term::Unlimited));
        for (days, until, endless) in [
            (None, None, false),
            (Some(7), Some("1970-01-02"), false),
            (Some(7), None, true),
            (None, Some("1970-01-02"), true),
        ] {
            assert_eq!(term(days, until, endless), Err(TermError::NotOne), "{days:?} {until:?} {endless}");
        }
    }

    #[test]
    fn a_requested_term_is_in_range() {
        let term = |days, until, endless| Term::of_request(days, until, endless, &Settings::default(), now());
        assert!(term(Some(1), None, false).is_ok() && term(Some(DURATION_DAYS_MAX), None, false).is_ok());
        for days in [0, DURATION_DAYS_MAX + 1] {
            assert_eq!(term(Some(days), None, false), Err(TermError::Days(days)));
        }
        let error = |until| term(None, Some(until), false).unwrap_err();
        assert!(matches!(error("tomorrow"), TermError::NotATime(_)));
        assert!(matches!(error("1970-01-01T00:00:00Z"), TermError::Excess { .. }), "it has passed");
        assert!(matches!(error("1999-01-01"), TermError::Excess { .. }), "it is too far ahead");
        assert_eq!(term(None, None, true), Err(TermError::Unlimited));
        let fields = [term(Some(0), None, false), term(None, Some("2000-01-01"), false), term(None, None, true)];
        assert_eq!(fields.map(|term| term.unwrap_err().field()), ["duration_days", "until", "unlimited"]);
    }

    #[test]
    fn a_severity_has_its_own_limit() {
        let settings = limits(&[(Severity::Critical, 30)]);
        let check = |term: Term, severity| term.check(severity, &settings, now());
        assert!(check(Term::Days(30), Severity::Critical).is_ok());
        assert!(check(Term::Days(31), Severity::High).is_ok(), "another severity has no limit");
        let error = check(Term::Days(31), Severity::Critical).unwrap_err();
        assert_eq!((error.field(), matches!(error, TermError::TooLong { .. })), ("duration_days", true));
        assert!(
            error.to_string().ends_with("at most 30 days are allowed for an issue of severity critical"),
            "{error}"
        );
        assert_eq!(check(Term::Unlimited, Severity::Critical).unwrap_err().field(), "unlimited");
        assert!(matches!(check(Term::Until(now()), Severity::High), Err(TermError::Excess { .. })));
        let unassigned = Settings { unassigned_as: Some(Severity::Critical), ..settings };
        assert!(Term::Days(31).check(Severity::Unassigned, &unassigned, now()).is_err(), "it counts as critical");
    }

    #[test]
    fn an_approval_counts_the_higher_of_both_severities() {
        let exemption = Exemption { severity: Severity::Low, term: Term::Days(31), ..exemption(Reach::Project) };
        let settings = limits(&[(Severity::Critical, 30)]);
        let check = |exemption: &Exemption, severity| exemption.check_term(severity, &settings, now()).is_ok();
        assert!(check(&exemption, Severity::Low) && !check(&exemption, Severity::Critical));
        let worse_before = Exemption { severity: Severity::Critical, ..exemption };
        assert!(!check(&worse_before, Severity::Low));
    }

    #[test]
    fn an_approval_without_an_end_needs_the_setting() {
        let exemption = Exemption { term: Term::Unlimited, ..exemption(Reach::Project) };
        let check = |unlimited_exemptions| {
            let settings = Settings { unlimited_exemptions, ..Settings::default() };
            exemption.check_term(Severity::High, &settings, now())
        };
        assert_eq!((check(true), check(false)), (Ok(()), Err(TermError::Unlimited)));
    }
}
