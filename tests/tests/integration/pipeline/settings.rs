//! Settings of a project: creating it never resets them, and a change of some leaves the others.

use crate::pipeline::wiring::{ADMIN, System};
use api::Problem;
use api::problem::Code;
use api::v1::{ProjectAnswer, SettingsBody};
use futures::executor::block_on;
use serde_json::{Value, json};

fn patch(system: &System, body: &Value) -> Result<ProjectAnswer, Problem> {
    block_on(system.project_job(system.who(ADMIN)).patch_project(body.to_string().as_bytes(), None))
}

fn chosen() -> SettingsBody {
    SettingsBody {
        unassigned_as: Some("high".to_owned()),
        self_approval: Some(true),
        exemption_days_max: [("critical".to_owned(), 14)].into(),
        ..SettingsBody::default()
    }
}

#[test]
fn creating_a_project_that_exists_is_refused_and_resets_nothing() {
    let system = System::new();
    system.settings(chosen());
    let before = block_on(system.project_job(system.who(ADMIN)).project()).unwrap();
    let created = block_on(system.project_job(system.who(ADMIN)).put_project(SettingsBody::default(), true, None));
    let problem = created.unwrap_err();
    assert_eq!(problem.code, Code::Conflict);
    assert!(problem.detail.starts_with("project `shop` exists; change its settings with PATCH"), "{problem}");
    assert_eq!(block_on(system.project_job(system.who(ADMIN)).project()).unwrap(), before);
}

#[test]
fn only_the_settings_that_are_named_change() {
    let system = System::new();
    system.settings(chosen());
    let changed = patch(&system, &json!({"rejected_allowed": 2})).unwrap().settings;
    assert_eq!((changed.rejected_allowed, changed.unassigned_as.as_deref()), (Some(2), Some("high")));
    assert_eq!((changed.self_approval, changed.exemption_days_max.get("critical")), (Some(true), Some(&14)));
    let reset = patch(&system, &json!({"unassigned_as": null, "exemption_days_max": null})).unwrap().settings;
    assert_eq!((reset.unassigned_as, reset.exemption_days_max.len(), reset.rejected_allowed), (None, 0, Some(2)));
    assert_eq!(patch(&system, &json!({})).unwrap().settings.rejected_allowed, Some(2));
    for wrong in [json!({"unknown": 1}), json!({"unknown": null}), json!({"rejected_allowed": "x"}), json!([])] {
        assert_eq!(patch(&system, &wrong).unwrap_err().code, Code::InvalidBody, "{wrong}");
    }
}

#[test]
fn every_setting_can_be_changed_by_its_name() {
    let system = System::new();
    let values = json!({
        "unassigned_as": "low", "tool_suppressions": "honoured", "default_baselines": {"repository": {"variant": "trunk"}},
        "missing_baseline": "undecided", "rejected_allowed": 1, "updated_occurrences": "common", "new_blind_spots": "fail",
        "examined_share": 80, "self_approval": true, "unlimited_exemptions": true,
        "exemption_days_max": {"high": 9}, "ending_notice_days": 3, "severity_rise_allowed": 1,
        "baseline_changes": "developer", "criteria": {"fail_on_new": "high"},
        "target_criteria": {"web": {"fail_on_severity": "low"}},
    });
    let known = serde_json::to_value(patch(&system, &values).unwrap().settings).unwrap();
    let known: Vec<_> = known.as_object().unwrap().keys().cloned().collect();
    let ours: Vec<_> = values.as_object().unwrap().keys().cloned().collect();
    assert_eq!(known, ours, "a new setting belongs into this test");
    for (name, value) in values.as_object().unwrap() {
        system.settings(SettingsBody::default());
        let changed = patch(&system, &json!({name: value})).unwrap().settings;
        assert_eq!(&serde_json::to_value(changed).unwrap()[name], value, "{name}");
    }
}
