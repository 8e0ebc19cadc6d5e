use super::*;

fn entry(level: Severity, exemption: Option<PackedExemption>) -> PackedIssue {
    PackedIssue { bucket: Bucket::New, kind: Kind::Code, level, exemption, mark: 7 }
}

#[test]
fn every_entry_has_a_unique_number_and_is_read_back_from_it() {
    let mut numbers = BTreeSet::new();
    let mut all = 0;
    for (bucket, kind) in Bucket::ALL.into_iter().flat_map(|bucket| Kind::ALL.map(|kind| (bucket, kind))) {
        for (level, exemption) in
            Severity::ALL.into_iter().flat_map(|level| PackedExemption::all().map(move |one| (level, one)))
        {
            for mark in [0, 1, u16::MAX] {
                let entry = PackedIssue { bucket, kind, level, exemption, mark };
                assert_eq!(PackedIssue::try_from(u32::from(entry)), Ok(entry));
                numbers.insert(u32::from(entry));
                all += 1;
            }
        }
    }
    assert_eq!((numbers.len(), all), (5040, 5040));
    assert!(PackedIssue::try_from(u32::MAX).is_err());
    let part = entry(Severity::High, Some(PackedExemption::Part(Severity::Low)));
    insta::assert_snapshot!(serde_json::to_string(&part).unwrap(), @"8837");
}

#[test]
fn partly_exempted_issues_count_as_their_remaining_severity_and_others_as_exempted() {
    let cases = [
        (None, Counted::Level(Severity::High)),
        (Some(PackedExemption::Pending), Counted::Level(Severity::High)),
        (Some(PackedExemption::Rejected), Counted::Level(Severity::High)),
        (Some(PackedExemption::Part(Severity::Low)), Counted::Level(Severity::Low)),
        (Some(PackedExemption::Whole), Counted::Exempted),
    ];
    for (exemption, counted) in cases {
        assert_eq!(entry(Severity::High, exemption).counted_as(None), counted);
    }
    let chooses = |words: &str, exemption| {
        let filter = IssueFilter { counted_as: Some(words.parse().unwrap()), ..IssueFilter::default() };
        filter.matches(&entry(Severity::High, exemption), None)
    };
    assert!(chooses("low, exempted,high", None) && !chooses("low,exempted", None));
    assert!(chooses("exempted", Some(PackedExemption::Whole)) && !chooses("high", Some(PackedExemption::Whole)));
    assert_eq!(
        "high,wild".parse::<CountedAs>().unwrap_err(),
        "`wild` is not a category; expected one of `critical`, `high`, `medium`, `low`, `info`, `unassigned`, `exempted`"
    );
    assert!("".parse::<CountedAs>().is_err() && "high,".parse::<CountedAs>().is_err());
}

#[test]
fn each_field_of_a_filter_excludes_by_itself() {
    let one = entry(Severity::High, Some(PackedExemption::Whole));
    let filters = [
        (IssueFilter { bucket: Some(Bucket::New), ..IssueFilter::default() }, true),
        (IssueFilter { bucket: Some(Bucket::Common), ..IssueFilter::default() }, false),
        (IssueFilter { severity: Some(Severity::High), ..IssueFilter::default() }, true),
        (IssueFilter { severity: Some(Severity::Low), ..IssueFilter::default() }, false),
        (IssueFilter { exempted: Some(true), ..IssueFilter::default() }, true),
        (IssueFilter { exempted: Some(false), ..IssueFilter::default() }, false),
        (IssueFilter { exemption: Some(Coverage::Exempted), ..IssueFilter::default() }, true),
        (IssueFilter { exemption: Some(Coverage::Pending), ..IssueFilter::default() }, false),
        (IssueFilter { kind: Some(Kind::Code), ..IssueFilter::default() }, true),
        (IssueFilter { kind: Some(Kind::Web), ..IssueFilter::default() }, false),
    ];
    for (filter, expected) in filters {
        assert_eq!(filter.matches(&one, None), expected, "{filter:?}");
    }
}

#[test]
fn a_searched_text_ignores_case_and_has_limits() {
    let text: SearchText = "STRASSE é".parse().unwrap();
    assert!(text.is_in("die Strasse É") && !text.is_in("die Strasse e"));
    assert!("".parse::<SearchText>().is_err() && "a\0".parse::<SearchText>().is_err());
    assert!(
        "x".repeat(TEXT_CHARS_MAX).parse::<SearchText>().is_ok()
            && "x".repeat(TEXT_CHARS_MAX + 1).parse::<SearchText>().is_err()
    );
}

#[test]
fn orders_round_trip_and_have_separate_lists() {
    let lists: BTreeSet<_> = Sort::ALL.map(Sort::list).into_iter().collect();
    assert_eq!(lists.len(), Sort::ALL.len());
    for sort in Sort::ALL {
        assert_eq!(sort.as_str().parse(), Ok(sort));
        assert_eq!(serde_json::to_value(sort).unwrap(), sort.as_str());
    }
    assert!("worst".parse::<Sort>().is_err());
}

#[test]
fn an_unassigned_severity_counts_as_the_projects_setting() {
    let high: CountedAs = "high".parse().unwrap();
    let filter = IssueFilter { counted_as: Some(high), ..IssueFilter::default() };
    let one = entry(Severity::Unassigned, None);
    assert!(!filter.matches(&one, None) && filter.matches(&one, Some(Severity::High)));
    let gone = PackedIssue { bucket: Bucket::Remediated, ..one };
    assert!(!filter.matches(&gone, Some(Severity::High)), "remediated issues are not judged");
}
