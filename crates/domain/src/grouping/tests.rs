use super::*;
use crate::testing::finding;
use finding::severity::Score;
use proptest::prelude::*;

fn group(findings: Vec<Finding>) -> (Vec<Issue>, Vec<Occurrence>, Vec<PathOrVersion>) {
    let mut grouper = Grouper::new("bandit".parse().unwrap(), findings.len());
    findings.into_iter().for_each(|finding| grouper.push(finding));
    let (issues, occurrences, names) = grouper.finish();
    (issues.collect(), occurrences, names)
}

fn scored(rule: &str, path: &str, line: u32, hundredths: u16) -> Finding {
    let mut finding = finding(line, rule, path, line, &["x"]);
    finding.score = Score::from_hundredths(hundredths)
        .map(|score| Scored { score, source: finding::severity::ScoreSource::ScannerWord });
    finding
}

#[test]
fn the_recipe_of_issue_ids_is_pinned() {
    let key = IssueKey::of("bandit", &finding(0, "B324", "a.py", 1, &[]));
    assert_eq!(key.pattern, ["product", "rule"]);
    // Computed independently with Python's hashlib over the same length-prefixed bytes.
    assert_eq!(key.id().to_string(), "d510e423bc0b509874be429fa2a8b3c3");
}

#[test]
fn one_rule_is_one_issue_with_an_occurrence_per_location_and_the_worst_score() {
    let (issues, occurrences, names) = group(vec![
        scored("B1", "b.py", 7, 200),
        scored("B2", "a.py", 3, 500),
        scored("B1", "a.py", 9, 950),
        scored("B1", "a.py", 2, 200),
    ]);
    let summary: Vec<_> =
        issues.iter().map(|issue| (issue.rule.as_str(), issue.severity(), issue.first, issue.occurrences)).collect();
    assert_eq!(summary, [("B1", Severity::Critical, 0, 3), ("B2", Severity::Medium, 3, 1)]);
    let places: Vec<_> = occurrences.iter().map(|o| (names[o.path as usize].text.as_str(), o.line)).collect();
    assert_eq!(places, [("a.py", 2), ("a.py", 9), ("b.py", 7), ("a.py", 3)]);
}

#[test]
fn severity_message_and_line_are_not_identity() {
    let mut other = scored("B1", "z.py", 99, 200);
    other.message = "another message".to_owned();
    let (issues, ..) = group(vec![scored("B1", "a.py", 1, 950), other]);
    assert_eq!(issues.len(), 1);
}

fn vulnerability(result: u32, names: &[&str], package: &str) -> Finding {
    Finding {
        result,
        advisories: names.iter().map(|name| (*name).to_owned()).collect(),
        package: Some(finding::Package { name: package.to_owned(), ..Default::default() }),
        ..Finding::new(Kind::Dependency, names[0], "t", "m")
    }
}

#[test]
fn names_of_one_vulnerability_unite_its_findings_however_they_are_connected() {
    let findings = vec![
        vulnerability(0, &["GHSA-1"], "p"),
        vulnerability(1, &["CVE-2020-2", "X-1"], "p"),
        vulnerability(2, &["GHSA-1"], "q"),
        vulnerability(3, &["X-1", "GHSA-1"], "p"),
        vulnerability(4, &["CVE-2020-9"], "p"),
    ];
    for rotation in 0..findings.len() {
        let mut findings = findings.clone();
        findings.rotate_left(rotation);
        let (issues, ..) = group(findings);
        let mut keys: Vec<_> =
            issues.iter().map(|issue| (issue.key.values[1..].join(" "), issue.occurrences)).collect();
        keys.sort();
        let expected = [("CVE-2020-2 p", 3), ("CVE-2020-9 p", 1), ("GHSA-1 q", 1)];
        assert_eq!(keys, expected.map(|(key, count)| (key.to_owned(), count)), "rotated by {rotation}");
    }
}

#[test]
fn each_kind_is_keyed_by_its_declared_fields() {
    let pattern = |finding: &Finding| IssueKey::of("x", finding).pattern.join(" ");
    let of = |kind| Finding::new(kind, "r", "t", "m");
    assert_eq!(pattern(&of(Kind::Code)), "product rule");
    assert_eq!(pattern(&of(Kind::Web)), "product rule");
    assert_eq!(pattern(&of(Kind::Host)), "product rule");
    assert_eq!(pattern(&of(Kind::Infrastructure)), "product check");
    assert_eq!(pattern(&of(Kind::Dependency)), "product advisory package");
    assert_eq!(pattern(&of(Kind::License)), "product license package");
    assert_eq!(pattern(&of(Kind::Secret)), "product rule path");
    let mut secret = of(Kind::Secret);
    secret.secret = Some(finding::Secret { digest: "sha1:0".to_owned(), masked: String::new() });
    assert_eq!(pattern(&secret), "product rule secret");
    let mut custom = of(Kind::Code);
    custom.key = vec![("issueName".to_owned(), "a".to_owned())];
    assert_eq!(pattern(&custom), "product issueName");
}

#[test]
fn findings_of_several_tools_in_one_report_stay_apart() {
    let mut other = scored("B1", "a.py", 1, 500);
    other.tool = Some("other".to_owned());
    assert_eq!(group(vec![scored("B1", "a.py", 1, 500), other]).0.len(), 2);
}

proptest! {
    #[test]
    fn uniting_is_an_equivalence_relation_and_keeps_every_finding(
        all in proptest::collection::vec(proptest::collection::vec(0..8_u8, 1..4), 0..20),
        rotation in 0..20_usize,
    ) {
        let mut findings: Vec<_> = (0..).zip(&all).map(|(result, names)| {
            let names: Vec<String> = names.iter().map(|name| format!("CVE-2020-{name}")).collect();
            vulnerability(result, &names.iter().map(String::as_str).collect::<Vec<_>>(), "p")
        }).collect();
        let grouped = group(findings.clone());
        prop_assert_eq!(grouped.1.len(), all.len());
        // Sharing a name means being the same issue: no name is in two.
        let mut names: Vec<_> = grouped.0.iter().flat_map(|issue| &issue.advisories).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        prop_assert_eq!(names.len(), count);
        let middle = if findings.is_empty() { 0 } else { rotation % findings.len() };
        findings.rotate_left(middle);
        let turned = group(findings);
        let ids = |issues: &[Issue]| issues.iter().map(|issue| (issue.id, issue.occurrences)).collect::<BTreeMap<_, _>>();
        prop_assert_eq!(ids(&turned.0), ids(&grouped.0));
    }

    #[test]
    fn no_finding_is_lost_and_the_order_makes_no_difference(
        places in proptest::collection::vec((0..4_u8, 0..3_u8, 1..50_u32, 0..1000_u16), 0..30),
        rotation in 0..30_usize,
    ) {
        let mut findings: Vec<_> = (0..).zip(&places).map(|(result, (rule, path, line, score))| {
            let mut finding = scored(&format!("B{rule}"), &format!("{path}.py"), *line, *score);
            finding.result = result;
            finding
        }).collect();
        let grouped = group(findings.clone());
        prop_assert_eq!(grouped.0.iter().map(|issue| issue.occurrences).sum::<u32>(), u32::try_from(places.len()).unwrap());
        let mut results: Vec<_> = grouped.1.iter().map(|occurrence| occurrence.result).collect();
        results.sort_unstable();
        prop_assert_eq!(results, (0..u32::try_from(places.len()).unwrap()).collect::<Vec<_>>());
        let middle = if findings.is_empty() { 0 } else { rotation % findings.len() };
        findings.rotate_left(middle);
        prop_assert_eq!(group(findings), grouped);
    }
}
