use super::*;
use crate::event::Entry;
use crate::ids::EventId;
use crate::journal::Fold as _;
use crate::project::{InProject, Project, ProjectEvent};
use crate::testing::entry;

fn criteria(severity: &str) -> LeastCriteria {
    LeastCriteria { fail_on_severity: severity.parse().unwrap(), ..LeastCriteria::default() }
}

/// Requires critical issues to fail all targets, and high ones to fail `web`.
fn strict() -> Settings {
    Settings {
        criteria: criteria("critical"),
        target_criteria: [("web".parse().unwrap(), criteria("high"))].into(),
        rejected_allowed: 3,
        self_approval: true,
        ..Settings::default()
    }
}

fn set(settings: Settings) -> ProjectEvent {
    ProjectEvent::settings_set(settings)
}

fn request(severity: &str) -> ProjectEvent {
    let settings = GateSettings { criteria: Some(criteria(severity)), ..GateSettings::default() };
    ProjectEvent::SettingsRequested { settings, comment: "the release waits".to_owned(), version: None }
}

/// Decides the request that is the event with this number.
fn decide(decision: ChangeDecision, request: u64) -> ProjectEvent {
    let request = EventId::derived("test", &[&request.to_be_bytes()]);
    ProjectEvent::SettingsDecided { request, decision, comment: String::new(), version: None }
}

fn approve(request: u64) -> ProjectEvent {
    decide(ChangeDecision::Approve, request)
}

/// Folds events, each with its actor. The first number is 1.
fn fold(events: &[(&str, ProjectEvent)]) -> (Project, Vec<Result<(), Refusal>>) {
    let mut project = Project::default();
    let mut results = Vec::new();
    for (n, (by, event)) in (1..).zip(events) {
        let event = InProject { project: "shop".parse().unwrap(), event: event.clone() };
        let entry: Entry<_> = entry(n, by, 1000, event);
        results.push(project.apply(n, &entry));
    }
    (project, results)
}

#[track_caller]
fn refused(result: &Result<(), Refusal>, part: &str) {
    let refusal = result.as_ref().unwrap_err();
    assert!(refusal.reason.contains(part), "{refusal}");
}

#[test]
fn an_approved_request_changes_the_named_settings_and_their_version() {
    let (project, results) =
        fold(&[("adm", set(strict())), ("dev", request("none")), ("sec", approve(2)), ("sec", approve(2))]);
    assert_eq!(results[..3], [Ok(()), Ok(()), Ok(())]);
    refused(&results[3], "somebody has decided it");
    assert_eq!(project.settings, Settings { criteria: LeastCriteria::default(), ..strict() });
    let set = project.settings_set.unwrap();
    assert_eq!((set.n, set.by.as_str(), project.settings_request), (3, "sec", None));
}

#[test]
fn a_request_changes_nothing_and_another_one_is_refused_while_it_is_pending() {
    let (project, results) =
        fold(&[("adm", set(strict())), ("dev", request("none")), ("eve", request("high")), ("dev", approve(9))]);
    refused(&results[2], "the project has a pending request by `dev`");
    refused(&results[3], "no such pending request");
    let pending = project.settings_request.unwrap();
    assert_eq!((project.settings.clone(), project.settings_set.unwrap().n), (strict(), 1));
    assert_eq!((pending.reason.as_str(), pending.made.by.subject.as_str()), ("the release waits", "dev"));
    assert!(fold(&[("dev", request("none"))]).1[0].is_err(), "a project that does not exist");
    refused(&fold(&[("adm", set(strict())), ("dev", request("Critical"))]).1[1], "nothing would change");
}

#[test]
fn the_requester_neither_approves_nor_rejects_under_any_spelling() {
    for by in ["dev", "DEV", " dev ", "d\u{435}v", "\u{ff44}ev", "d\u{200b}ev"] {
        for (decision, word) in [(ChangeDecision::Approve, "approve"), (ChangeDecision::Reject, "reject")] {
            // `strict` allows people to approve their own exemptions.
            let (project, results) =
                fold(&[("adm", set(strict())), ("dev", request("none")), (by, decide(decision, 2))]);
            refused(&results[2], &format!("requested the change and cannot {word} it"));
            assert!(project.settings_request.is_some() && project.settings == strict(), "{by:?}");
        }
    }
}

#[test]
fn only_the_requester_withdraws() {
    let withdraw = decide(ChangeDecision::Withdraw, 2);
    let (project, results) = fold(&[
        ("adm", set(strict())),
        ("dev", request("none")),
        ("sec", withdraw.clone()),
        ("Dev", withdraw),
        ("sec", approve(2)),
    ]);
    refused(&results[2], "only the requester can withdraw it");
    assert_eq!(results[3], Ok(()));
    refused(&results[4], "no such pending request");
    assert_eq!((project.settings, project.settings_request), (strict(), None));
}

#[test]
fn another_person_rejects_and_the_settings_stay() {
    let (project, results) =
        fold(&[("adm", set(strict())), ("dev", request("none")), ("sec", decide(ChangeDecision::Reject, 2))]);
    assert_eq!(results[2], Ok(()));
    assert_eq!((project.settings, project.settings_request), (strict(), None));
}

#[test]
fn a_request_is_outdated_when_one_of_the_settings_that_decide_changes() {
    let with = |settings: Settings| {
        fold(&[("adm", set(strict())), ("dev", request("none")), ("adm", set(settings)), ("sec", approve(2))])
    };
    // Without the criteria of some targets, the approval would loosen more than the reviewer saw.
    for changed in [
        Settings { target_criteria: BTreeMap::new(), ..strict() },
        Settings { tool_suppressions: ToolSuppressions::Honoured, ..strict() },
        Settings { criteria: criteria("low"), ..strict() },
    ] {
        let (project, results) = with(changed.clone());
        refused(&results[3], "the settings have changed since the request");
        assert_eq!(project.settings, changed);
    }
    let other = Settings { rejected_allowed: 9, ..strict() };
    let (project, results) = with(other.clone());
    assert_eq!(results[3], Ok(()), "another setting does not matter, and stays");
    assert_eq!(project.settings, Settings { criteria: LeastCriteria::default(), ..other });
    let (project, results) = fold(&[
        ("adm", set(strict())),
        ("dev", request("none")),
        ("adm", set(Settings { criteria: criteria("low"), ..strict() })),
        ("eve", request("high")),
        ("sec", approve(4)),
    ]);
    assert_eq!((&results[3], &results[4]), (&Ok(()), &Ok(())), "an outdated request is replaced");
    assert_eq!(project.settings.criteria, criteria("high"));
}

#[test]
fn a_request_or_decision_on_an_older_version_changes_nothing() {
    let (project, results) = fold(&[
        ("adm", set(strict())),
        ("adm", set(Settings { rejected_allowed: 9, ..strict() })),
        ("dev", request("none").on_version(Some(1))),
        ("dev", request("none").on_version(Some(2))),
        ("sec", approve(4).on_version(Some(1))),
    ]);
    for at in [2, 4] {
        let refusal = results[at].as_ref().unwrap_err();
        assert!(refusal.stale && refusal.reason.starts_with("the settings were changed by `adm`"), "{refusal}");
    }
    assert!(results[3].is_ok() && project.settings.criteria == criteria("critical"));
}

#[test]
fn a_change_is_listed_for_each_pattern_and_criterion() {
    let requested = GateSettings {
        tool_suppressions: Some(ToolSuppressions::Honoured),
        criteria: Some(LeastCriteria {
            required_scanners: ["trivy", "bandit"].iter().map(|name| name.parse().unwrap()).collect(),
            ..criteria("critical")
        }),
        target_criteria: Some([("api".parse().unwrap(), criteria("low"))].into()),
    };
    let event = ProjectEvent::SettingsRequested { settings: requested, comment: "x".to_owned(), version: None };
    let (project, _) = fold(&[("adm", set(strict())), ("dev", event)]);
    let changes = project.settings_request.unwrap().changes(&project.settings);
    let lines: Vec<_> = changes
        .iter()
        .map(|change| {
            let pattern = change.pattern.as_ref().map_or("", TargetPattern::as_str);
            let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            let criterion = change.criterion.unwrap_or_default();
            format!("{} {pattern} {criterion} {} {}", change.setting, text(&change.now), text(&change.then))
        })
        .collect();
    let expected = [
        "tool_suppressions   ignored honoured",
        "criteria  required_scanners - bandit, trivy",
        "target_criteria api fail_on_severity - low",
        "target_criteria web fail_on_severity high -",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn other_settings_are_found_by_name() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert!(GateSettings::others(&names(&GateSettings::NAMES)).is_empty());
    assert_eq!(GateSettings::others(&names(&["criteria", "self_approval", "x"])), ["self_approval", "x"]);
    let all = serde_json::to_value(GateSettings::of(&Settings::default())).unwrap();
    let mut named = GateSettings::NAMES.to_vec();
    named.sort_unstable();
    assert_eq!(all.as_object().unwrap().keys().collect::<Vec<_>>(), named, "all of them are named");
    assert!(GateSettings::default().is_empty() && !GateSettings::of(&Settings::default()).is_empty());
}

#[test]
fn the_stored_form_is_pinned() {
    let (project, _) = fold(&[("adm", set(strict())), ("dev", request("none"))]);
    let stored = serde_json::to_value(&project).unwrap();
    let request = &stored["settings_request"];
    assert_eq!(request["requested"].to_string(), r#"{"criteria":{}}"#);
    let current = r#"{"criteria":{"fail_on_severity":"critical"},"target_criteria":{"web":{"fail_on_severity":"high"}},"tool_suppressions":"ignored"}"#;
    assert_eq!(
        (request["current"].to_string().as_str(), request["reason"].as_str()),
        (current, Some("the release waits"))
    );
    assert_eq!(serde_json::from_value::<Project>(stored).unwrap(), project);
}
