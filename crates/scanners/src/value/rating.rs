//! The rating of a result: CVSS base scores, the scanner's own score, the scanner's severity word, in this order.
//!
//! The `cvss` crate computes the scores of vectors. An incomplete or wrong vector never gives a score: the finding gets
//! the next rating in the order, and its raw fields contain the reason.

use crate::reader::text::{Filled, shown};
use finding::severity::{Score, ScoreSource};
use finding::{Cvss, Finding, Scored};

/// The severity words of a scanner with their scores in hundredths. Upper and lower case are the same.
pub(crate) type Words = &'static [(&'static str, u16)];

/// The words that most scanners use, each with a score in the band of its severity.
pub(crate) const COMMON_WORDS: Words = &[
    ("critical", 950),
    ("high", 800),
    ("medium", 550),
    ("moderate", 550),
    ("low", 200),
    ("info", 0),
    ("informational", 0),
    ("information", 0),
    ("none", 0),
    ("negligible", 0),
];
/// The description of [`COMMON_WORDS`] for `Scanner::severities`.
pub(crate) const COMMON_WORDS_TEXT: &str =
    "critical 9.5, high 8.0, medium or moderate 5.5, low 2.0, info or negligible 0";

/// The severity of one result in its report.
#[derive(Debug, Default)]
pub(crate) struct Rating {
    words: Option<Words>,
    cvss: Vec<Cvss>,
    own: Option<Score>,
    word: Option<String>,
    problems: Vec<String>,
}

impl Rating {
    /// An empty rating that uses these words.
    pub(crate) fn new(words: Words) -> Self {
        Self { words: Some(words), ..Self::default() }
    }

    /// Adds a CVSS vector and the base score that the report gives for it; without one, the score is computed.
    pub(crate) fn vector(mut self, vector: Option<&str>, score: Option<f64>) -> Self {
        let Some(vector) = vector.map(str::trim).filled() else { return self };
        let given = self.valid(score);
        match base_score(vector) {
            Ok((version, computed)) => {
                self.cvss.push(Cvss {
                    version: version.to_owned(),
                    vector: Some(vector.to_owned()),
                    score: given.or(Some(computed)),
                });
            }
            Err(problem) => {
                self.problems.push(problem);
                if let Some(score) = given {
                    let version = version_of(vector).to_owned();
                    self.cvss.push(Cvss { version, vector: Some(vector.to_owned()), score: Some(score) });
                }
            }
        }
        self
    }

    /// Adds a CVSS base score without a vector, of version `2.0`, `3.0`, `3.1` or `4.0`.
    pub(crate) fn base(mut self, version: &str, score: Option<f64>) -> Self {
        if let Some(score) = self.valid(score) {
            self.cvss.push(Cvss { version: version.to_owned(), vector: None, score: Some(score) });
        }
        self
    }

    /// Adds the scanner's own score, from 0 to 10.
    pub(crate) fn own(mut self, score: Option<f64>) -> Self {
        self.own = self.valid(score).or(self.own);
        self
    }

    /// Adds the scanner's severity word.
    pub(crate) fn word(mut self, word: Option<&str>) -> Self {
        self.word = word.map(str::trim).filled().map(str::to_owned).or(self.word);
        self
    }

    /// The source of the score of CVSS 4.0, by the metrics of its vector.
    fn source_of_v4(&self) -> ScoreSource {
        let newest = self.cvss.iter().find(|cvss| cvss.version.starts_with('4'));
        let vector = newest.and_then(|cvss| cvss.vector.as_deref()).unwrap_or_default();
        let has = |names: &[&str]| {
            let metrics = vector.split('/').filter_map(|metric| metric.split_once(':'));
            metrics.into_iter().any(|(name, value)| names.contains(&name) && value != "X")
        };
        match (has(&THREAT), has(&ENVIRONMENT)) {
            (false, false) => ScoreSource::CvssV4,
            (true, false) => ScoreSource::CvssV4Bt,
            (false, true) => ScoreSource::CvssV4Be,
            (true, true) => ScoreSource::CvssV4Bte,
        }
    }

    /// Writes the rating into a finding.
    pub(crate) fn apply(self, finding: &mut Finding) {
        let by_word = self.word.as_deref().and_then(|word| self.words.and_then(|words| score_of(words, word)));
        let cvss =
            |major: char| self.cvss.iter().find(|cvss| cvss.version.starts_with(major)).and_then(|cvss| cvss.score);
        let choices = [
            (cvss('4'), self.source_of_v4()),
            (cvss('3'), ScoreSource::CvssV3),
            (cvss('2'), ScoreSource::CvssV2),
            (self.own, ScoreSource::ScannerScore),
            (by_word, ScoreSource::ScannerWord),
        ];
        finding.score = choices.into_iter().find_map(|(score, source)| Some(Scored { score: score?, source }));
        finding.scanner_severity = by_word.map(Score::severity).or(self.own.map(Score::severity));
        finding.severity_word = self.word;
        finding.cvss = self.cvss;
        if !self.problems.is_empty() {
            finding.raw.insert("cvss_problem".to_owned(), self.problems.join("; "));
        }
    }

    /// The valid score of a number. Adds a problem if it is not between 0 and 10.
    fn valid(&mut self, score: Option<f64>) -> Option<Score> {
        let score = score?;
        let found = Score::from_f64(score);
        if found.is_none() {
            self.problems.push(format!("the score must be between 0 and 10, found {score}"));
        }
        found
    }
}

/// The score of a severity word.
pub(crate) fn score_of(words: Words, word: &str) -> Option<Score> {
    let (_, score) = words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word.trim()))?;
    Score::from_hundredths(*score)
}

/// The version in the prefix of a CVSS vector; `2.0` has no prefix.
fn version_of(vector: &str) -> &'static str {
    ["4.0", "3.1", "3.0"].into_iter().find(|version| vector.contains(&format!("CVSS:{version}"))).unwrap_or("2.0")
}

/// The threat metrics of CVSS 4.0.
const THREAT: [&str; 1] = ["E"];
/// The environmental metrics of CVSS 4.0.
const ENVIRONMENT: [&str; 14] =
    ["CR", "IR", "AR", "MAV", "MAC", "MAT", "MPR", "MUI", "MVC", "MVI", "MVA", "MSC", "MSI", "MSA"];

/// The version and score of a CVSS vector. Of versions 2 and 3 it is the base score. Of version 4 it is the score of
/// all metrics that the vector has, which FIRST calls CVSS-B, CVSS-BT, CVSS-BE or CVSS-BTE.
///
/// # Errors
/// It is not a vector, or a base metric is missing.
pub(crate) fn base_score(vector: &str) -> Result<(&'static str, Score), String> {
    let bare = vector.trim().trim_matches(['(', ')', '"', ' ']);
    let bare = bare.strip_prefix("CVSS2#").unwrap_or(bare);
    let bare = bare.strip_prefix("CVSS:2.0/").unwrap_or(bare);
    let wrong = |error: cvss::Error| format!("`{}` is not a CVSS vector: {error}", shown(vector, 120));
    let (version, score) = if bare.starts_with("CVSS:4") {
        const BASE: [&str; 12] = ["CVSS", "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"];
        let scored: Vec<&str> = BASE.into_iter().chain(THREAT).chain(ENVIRONMENT).collect();
        let parsed: cvss::v4::Vector = only_metrics(bare, &scored).parse().map_err(wrong)?;
        ("4.0", parsed.score().value())
    } else if bare.starts_with("CVSS:3") {
        let parsed: cvss::v3::Vector = bare.parse().map_err(wrong)?;
        // The crate counts a missing metric as 0, so that a cut-off vector would be harmless.
        let cvss::v3::Vector { av, ac, pr, ui, s, c, i, a, .. } = &parsed;
        let present = [
            ("AV", av.is_some()),
            ("AC", ac.is_some()),
            ("PR", pr.is_some()),
            ("UI", ui.is_some()),
            ("S", s.is_some()),
            ("C", c.is_some()),
            ("I", i.is_some()),
            ("A", a.is_some()),
        ];
        if let Some((missing, _)) = present.iter().find(|(_, present)| !present) {
            return Err(format!("`{}` is an incomplete CVSS vector: {missing} is missing", shown(vector, 120)));
        }
        (if bare.starts_with("CVSS:3.0") { "3.0" } else { "3.1" }, parsed.base_score().value())
    } else {
        const BASE: [&str; 6] = ["AV", "AC", "Au", "C", "I", "A"];
        let parsed: cvss::v2::Vector = only_metrics(bare, &BASE).parse().map_err(wrong)?;
        ("2.0", parsed.score().value())
    };
    let score = Score::from_f64(score).ok_or_else(|| format!("`{}` has the score {score}", shown(vector, 120)))?;
    Ok((version, score))
}

/// The metrics with these names, in their order.
fn only_metrics(vector: &str, names: &[&str]) -> String {
    let wanted = |metric: &&str| metric.split_once(':').is_none_or(|(name, _)| names.contains(&name));
    vector.split('/').filter(wanted).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use finding::Kind;
    use finding::severity::Severity;

    fn check(vector: &str, version: &str, hundredths: u16) {
        let score = base_score(vector).map(|(version, score)| (version, score.hundredths()));
        assert_eq!(score, Ok((version, hundredths)), "{vector}");
    }

    /// Scores from the National Vulnerability Database and from FIRST's examples.
    #[test]
    fn published_vectors_have_their_published_scores() {
        check("AV:N/AC:L/Au:N/C:C/I:C/A:C", "2.0", 1000); // CVE-2014-6271
        check("AV:N/AC:L/Au:N/C:P/I:N/A:N", "2.0", 500); // CVE-2014-0160
        check("(AV:L/AC:H/Au:N/C:C/I:C/A:C)", "2.0", 620); // CVE-2003-0062, FIRST's guide
        check("CVSS2#AV:N/AC:M/Au:N/C:N/I:P/A:N", "2.0", 430);
        check("AV:N/AC:L/Au:N/C:N/I:N/A:C/E:F/RL:OF/RC:C", "2.0", 780); // CVE-2002-0392, FIRST's guide
        check("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "3.0", 980);
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "3.1", 1000); // CVE-2021-44228
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "3.1", 750); // CVE-2014-0160
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "3.1", 610); // CVE-2013-1937, FIRST's examples
        check("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N/E:P/RL:O", "3.1", 640); // CVE-2013-0375
        check("CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "3.1", 0);
        check("CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", "4.0", 730); // CVE-2022-41741
        check("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", "4.0", 1000); // CVE-2021-44228
        check("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U", "4.0", 810);
    }

    #[test]
    fn incomplete_and_wrong_vectors_are_errors_and_not_zero() {
        for vector in [
            "",
            "CVSS:3.1",
            "CVSS:3.1/AV:N",
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
            "CVSS:3.1/AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:3.9/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "CVSS:4.0/AV:N/AC:L",
            "AV:N/AC:L/Au:N/C:P/I:N",
            "CVSS:9/AV:N",
            "none",
        ] {
            assert!(base_score(vector).is_err(), "{vector}: {:?}", base_score(vector));
        }
    }

    #[test]
    fn the_first_rating_in_the_order_counts_and_the_others_are_kept() {
        let rated = |rating: Rating| {
            let mut finding = Finding::new(Kind::Dependency, "CVE-1", "t", "m");
            rating.apply(&mut finding);
            let scored = finding.score.map(|scored| (scored.score.hundredths(), scored.source));
            (scored, finding.scanner_severity, finding)
        };
        let v3 = Some("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N");
        let all = Rating::new(COMMON_WORDS).base("2.0", Some(5.0)).vector(v3, None).own(Some(3.0)).word(Some("LOW"));
        let (scored, word, finding) = rated(all);
        assert_eq!((scored, word), (Some((750, ScoreSource::CvssV3)), Some(Severity::Low)));
        assert_eq!(finding.cvss.len(), 2);

        let (scored, ..) = rated(Rating::new(COMMON_WORDS).own(Some(3.0)).word(Some("LOW")));
        assert_eq!(scored, Some((300, ScoreSource::ScannerScore)));
        let (scored, ..) = rated(Rating::new(COMMON_WORDS).word(Some(" High ")));
        assert_eq!(scored, Some((800, ScoreSource::ScannerWord)));
        let (scored, ..) = rated(Rating::new(COMMON_WORDS).word(Some("severe")));
        assert_eq!(scored, None);

        // FIRST's nomenclature: the base, with threat metrics, and a score that the report states for the vector.
        let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        let of = |end: &str, stated| rated(Rating::new(COMMON_WORDS).vector(Some(&format!("{v4}{end}")), stated)).0;
        assert_eq!(of("", None), Some((930, ScoreSource::CvssV4)));
        assert_eq!(of("/E:X", None), Some((930, ScoreSource::CvssV4)));
        assert_eq!(of("/E:U", None), Some((810, ScoreSource::CvssV4Bt)));
        assert_eq!(of("/E:U", Some(8.2)), Some((820, ScoreSource::CvssV4Bt)));
        assert_eq!(of("/CR:L", None).map(|(_, source)| source), Some(ScoreSource::CvssV4Be));
        assert_eq!(of("/E:P/CR:L", None).map(|(_, source)| source), Some(ScoreSource::CvssV4Bte));

        // A broken vector gives no score, only its reason; the report's score for it counts.
        let (scored, _, finding) =
            rated(Rating::new(COMMON_WORDS).vector(Some("CVSS:3.1/AV:N"), None).word(Some("high")));
        assert_eq!(scored, Some((800, ScoreSource::ScannerWord)));
        assert!(finding.raw["cvss_problem"].contains("incomplete"), "{:?}", finding.raw);
        let (scored, ..) = rated(Rating::new(COMMON_WORDS).vector(Some("CVSS:3.1/AV:N"), Some(9.1)));
        assert_eq!(scored, Some((910, ScoreSource::CvssV3)));
        let (scored, ..) = rated(Rating::new(COMMON_WORDS).own(Some(11.0)));
        assert_eq!(scored, None);
    }
}
