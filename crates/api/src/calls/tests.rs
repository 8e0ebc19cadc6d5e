use super::account::AccountCall;
use super::audit::AuditCall;
use super::exemptions::ExemptionsCall;
use super::ingest::IngestCall;
use super::projects::ProjectsCall;
use super::results::ResultsCall;
use super::spec::{segments, variable};
use super::*;
use crate::access::Access;
use crate::problem::Code;
use crate::query::Query;
use domain::comparison::Bucket;
use domain::exemption::{Coverage, Scope, Status};
use domain::listing::Sort;
use domain::target::TargetType;
use finding::severity::Severity;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

mod spin_routes;

fn path(text: &str) -> Vec<String> {
    crate::path::segments(text).unwrap()
}

/// A path of the call, with a different value for each variable segment.
fn example(call: &CallSpec) -> String {
    call.path.replace('{', "x-").replace('}', "")
}

fn refused<C: CallTable>(method: &str, text: &str) -> (Code, String) {
    match route::<C>(method, &path(text)) {
        Err(problem) => (problem.code, problem.detail),
        Ok(_) => panic!("{method} {text} is found"),
    }
}

#[test]
fn every_row_is_well_formed() {
    for (row, _) in all() {
        let says = format!("{} {}", row.method, row.path);
        assert!(row.path.starts_with("/api/v1/") && !row.path.ends_with('/'), "{says}");
        for part in segments(row.path) {
            let inner = variable(part).unwrap_or(part);
            let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-' | b'.');
            assert!(!inner.is_empty() && inner.bytes().all(plain), "{says}: {part}");
        }
        let names: Vec<_> = segments(row.path).filter_map(variable).collect();
        assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "{says}: a name occurs twice");
        let in_project = row.path.starts_with("/api/v1/projects/{project}");
        assert_eq!(names.contains(&"project"), in_project, "{says}: a project's calls have paths below it");
        let fits = match row.access {
            Access::Right(_) => in_project,
            Access::Public | Access::AnyToken => !in_project,
            Access::Account => true,
        };
        assert!(fits, "{says}: a right exists only in a project");
        let parameters: Vec<_> = row.parameters().map(|parameter| parameter.name).collect();
        assert_eq!(parameters.len(), parameters.iter().collect::<BTreeSet<_>>().len(), "{says}");
        assert!(row.summary.trim().ends_with('.') && row.parameters().all(|one| one.meaning.ends_with('.')), "{says}");
        assert!(matches!(row.body, RequestBody::None) || row.method != "GET", "{says} has a body");
        assert_eq!(row.answer.body.is_none(), row.answer.status == 204, "{says}");
    }
}

#[test]
fn no_call_has_two_rows() {
    let mut shapes: BTreeMap<Vec<&str>, BTreeSet<&str>> = BTreeMap::new();
    let mut calls = BTreeSet::new();
    for (row, _) in all() {
        let shape: Vec<_> = segments(row.path).map(|part| variable(part).map_or(part, |_| "{}")).collect();
        assert!(calls.insert((row.method, shape.clone())), "{} {} is listed twice", row.method, row.path);
        shapes.entry(shape).or_default().insert(row.path);
    }
    for templates in shapes.values() {
        assert_eq!(templates.len(), 1, "one path is written in two ways: {templates:?}");
    }
}

#[test]
fn every_call_is_found_by_its_path_and_method_only() {
    fn check<C: CallTable + PartialEq + Debug>() {
        for call in C::ALL {
            let (row, text) = (call.spec(), example(call.spec()));
            let found = route::<C>(row.method, &path(&text)).unwrap();
            assert_eq!(found.call, *call, "{text}");
            for name in segments(row.path).filter_map(variable) {
                assert_eq!(found.params.text(name).unwrap(), format!("x-{name}"), "{text}");
            }
            for other in ["TRACE", "get", "", "GET "] {
                assert_eq!(refused::<C>(other, &text).0, Code::MethodNotAllowed, "{other} {text}");
            }
            assert!(allowed_methods(&path(&text)).contains(&row.method), "{text}");
        }
    }
    check::<AccountCall>();
    check::<ProjectsCall>();
    check::<IngestCall>();
    check::<ResultsCall>();
    check::<ExemptionsCall>();
    check::<AuditCall>();
}

#[test]
fn a_wrong_method_is_answered_with_all_methods_of_the_path_by_each_component() {
    let detail = "DELETE is not allowed here; allowed: POST, GET".to_owned();
    for found in [
        refused::<IngestCall>("DELETE", "/api/v1/projects/shop/scans"),
        refused::<ResultsCall>("DELETE", "/api/v1/projects/shop/scans"),
    ] {
        assert_eq!(found, (Code::MethodNotAllowed, detail.clone()));
    }
    assert_eq!(allowed_methods(&path("/api/v1/projects/shop/targets/a%2Fb")), ["GET", "PATCH"]);
    assert_eq!(allowed_methods(&path("/nothing")), [] as [&str; 0]);
}

#[test]
fn a_hostile_path_matches_no_call() {
    let long = format!("/api/v1/projects/{}", "a/".repeat(10_000));
    for text in [
        "",
        "/",
        "//",
        "/api/v1",
        "/api/v1/projects//tokens",
        "/api/v1/projects/shop/targets//variants",
        "/api/v1/projects/shop/../other",
        "/api/v1/projects/shop/Targets",
        "/api/v1/projects/shop/targets%2Fweb",
        "/api/v1/projects/shop/targets/web/variants/main",
        "/api/v2/projects/shop",
        "/api/v1/projects/shop/targets/a/b",
        "/api/v1/projects/shop/{project}/{target}/x",
        "/%00",
        &long,
    ] {
        assert_eq!(refused::<ProjectsCall>("GET", text).0, Code::NotFound, "{text:.60}");
    }
    let found = route::<ProjectsCall>("GET", &path("/api/v1/projects/%2E%2E/targets/a%2Fb%00")).unwrap();
    assert_eq!((found.call, found.params.text("target").unwrap()), (ProjectsCall::Target, "a/b\0"));
    assert_eq!(found.params.project().unwrap_err().code, Code::NotFound, "`..` names no project");
    assert_eq!(found.params.text("scan").unwrap_err().code, Code::Internal);
    let spelt = route::<ProjectsCall>("GET", &path("/api/v1/projects/shop/%74argets")).unwrap();
    assert_eq!(spelt.call, ProjectsCall::Targets, "an encoded letter is that letter");
}

#[test]
fn a_public_call_has_its_own_path_and_one_method() {
    let at = path("/api/v1/scanners");
    assert_eq!(public::is_request_for(&public::SCANNERS, "GET", &at), Ok(true));
    assert_eq!(public::is_request_for(&public::OPENAPI, "GET", &at), Ok(false));
    assert_eq!(public::is_request_for(&public::OPENAPI, "POST", &at), Ok(false));
    assert_eq!(public::is_request_for(&public::SCANNERS, "POST", &at).unwrap_err().code, Code::MethodNotAllowed);
    assert_eq!((component("GET", &at), component("POST", &at)), (Some("ingest"), None));
}

#[test]
fn documented_words_of_parameters_are_those_of_their_types() {
    fn words<T: Serialize>(all: &[T]) -> Vec<String> {
        all.iter().map(|value| serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()).collect()
    }
    let known: BTreeMap<&str, Vec<String>> = BTreeMap::from([
        ("bucket", words(&Bucket::ALL)),
        ("decision", words(&["approve", "reject", "cancel"])),
        ("exemption", words(&Coverage::ALL)),
        ("format", words(&["json", "jsonl"])),
        ("kind", words(&finding::Kind::ALL)),
        ("scope", words(&Scope::ALL)),
        ("severity", words(&Severity::ALL)),
        ("sort", words(&Sort::ALL)),
        ("status", words(&Status::ALL)),
        ("target_type", words(&TargetType::ALL)),
    ]);
    let mut checked = BTreeSet::new();
    for parameter in all().flat_map(|(call, _)| call.parameters()) {
        match parameter.kind {
            ParameterKind::Word(listed) => {
                assert_eq!(known[parameter.name], listed, "{}", parameter.name);
                checked.insert(parameter.name);
            }
            ParameterKind::Number(from, to) if parameter.name == "limit" => {
                assert_eq!((from, usize::try_from(to)), (1, Ok(crate::page::LIMIT_MAX)));
            }
            ParameterKind::Number(from, to) => assert!(from < to, "{}", parameter.name),
            ParameterKind::Text | ParameterKind::Flag => {}
        }
    }
    assert_eq!(checked, known.keys().copied().collect());
}

#[test]
fn a_parameter_that_a_call_does_not_take_is_refused_by_name() {
    let check = |call: &CallSpec, query: &str| {
        call.check_query(&Query::parse(query).unwrap()).map_err(|problem| problem.detail)
    };
    let (variants, target) = (ProjectsCall::Variants.spec(), ProjectsCall::Target.spec());
    assert_eq!(check(variants, "limit=1&regex=x"), Ok(()));
    assert_eq!(
        check(variants, "limit=1&regx=x"),
        Err("parameter `regx`: unknown parameter; expected one of `regex`, `limit`, `cursor`".to_owned())
    );
    assert_eq!(check(target, "limit=1"), Err("parameter `limit`: unknown parameter; this call takes none".to_owned()));
    let misspelt = check(IngestCall::Upload.spec(), "fail_on_severty=high");
    assert!(misspelt.is_err_and(|detail| detail.starts_with("parameter `fail_on_severty`: unknown parameter")));
}
