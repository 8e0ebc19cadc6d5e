use super::*;
use crate::problem::Code;
use domain::comparison::Bucket;
use domain::exemption::{Coverage, Scope, Status};
use domain::listing::Sort;
use domain::target::TargetType;
use finding::severity::Severity;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

fn path(text: &str) -> Vec<String> {
    crate::path::segments(text).unwrap()
}

/// A path that is a row's, with a segment of its own for each name.
fn example(row: &Row) -> String {
    row.path.replace('{', "x-").replace('}', "")
}

fn refused<C: Table>(method: &str, text: &str) -> (Code, String) {
    match C::find(method, &path(text)) {
        Err(problem) => (problem.code, problem.detail),
        Ok(_) => panic!("{method} {text} is found"),
    }
}

#[test]
fn every_row_is_well_formed() {
    for row in every() {
        let says = format!("{} {}", row.method, row.path);
        assert!(row.path.starts_with("/api/v1/") && !row.path.ends_with('/'), "{says}");
        for part in row::segments(row.path) {
            let inner = row::name(part).unwrap_or(part);
            let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-' | b'.');
            assert!(!inner.is_empty() && inner.bytes().all(plain), "{says}: {part}");
        }
        let names: Vec<_> = row::segments(row.path).filter_map(row::name).collect();
        assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len(), "{says}: a name stands there twice");
        let in_project = row.path.starts_with("/api/v1/projects/{project}");
        assert_eq!(names.contains(&"project"), in_project, "{says}: what is a project's is below it");
        let fits = match row.access {
            Access::Right(_) => in_project,
            Access::Public | Access::Anybody => !in_project,
            Access::Account => true,
        };
        assert!(fits, "{says}: a right counts in a project alone");
        let parameters: Vec<_> = row.parameters().map(|parameter| parameter.name).collect();
        assert_eq!(parameters.len(), parameters.iter().collect::<BTreeSet<_>>().len(), "{says}");
        assert!(row.summary.trim().ends_with('.') && row.parameters().all(|one| one.meaning.ends_with('.')), "{says}");
        assert!(matches!(row.body, Body::None) || row.method != "GET", "{says} has a body");
        assert_eq!(row.answer.shape.is_none(), row.answer.status == 204, "{says}");
    }
}

#[test]
fn no_two_rows_are_one_call() {
    let mut shapes: BTreeMap<Vec<&str>, BTreeSet<&str>> = BTreeMap::new();
    let mut calls = BTreeSet::new();
    for row in every() {
        let shape: Vec<_> = row::segments(row.path).map(|part| row::name(part).map_or(part, |_| "{}")).collect();
        assert!(calls.insert((row.method, shape.clone())), "{} {} is there twice", row.method, row.path);
        shapes.entry(shape).or_default().insert(row.path);
    }
    for templates in shapes.values() {
        assert_eq!(templates.len(), 1, "one path is written in two ways: {templates:?}");
    }
}

#[test]
fn every_call_is_found_by_its_own_path_and_by_no_other_method() {
    fn check<C: Table + PartialEq + fmt::Debug>() {
        for call in C::ALL {
            let (row, text) = (call.row(), example(call.row()));
            let found = C::find(row.method, &path(&text)).unwrap();
            assert_eq!(found.call, *call, "{text}");
            for name in row::segments(row.path).filter_map(row::name) {
                assert_eq!(found.params.text(name).unwrap(), format!("x-{name}"), "{text}");
            }
            for other in ["TRACE", "get", "", "GET "] {
                assert_eq!(refused::<C>(other, &text).0, Code::MethodNotAllowed, "{other} {text}");
            }
            assert!(allowed(&path(&text)).contains(&row.method), "{text}");
        }
    }
    check::<projects::Call>();
    check::<ingest::Call>();
    check::<results::Call>();
    check::<exemptions::Call>();
}

#[test]
fn a_wrong_method_is_told_all_that_the_path_has_whichever_component_answers() {
    let detail = "DELETE is not allowed here; allowed: POST, GET".to_owned();
    for found in [
        refused::<ingest::Call>("DELETE", "/api/v1/projects/shop/scans"),
        refused::<results::Call>("DELETE", "/api/v1/projects/shop/scans"),
    ] {
        assert_eq!(found, (Code::MethodNotAllowed, detail.clone()));
    }
    assert_eq!(allowed(&path("/api/v1/projects/shop/targets/a%2Fb")), ["GET", "PATCH"]);
    assert_eq!(allowed(&path("/nothing")), [] as [&str; 0]);
}

#[test]
fn a_hostile_path_is_no_call() {
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
        assert_eq!(refused::<projects::Call>("GET", text).0, Code::NotFound, "{text:.60}");
    }
    let found = projects::Call::find("GET", &path("/api/v1/projects/%2E%2E/targets/a%2Fb%00")).unwrap();
    assert_eq!((found.call, found.params.text("target").unwrap()), (projects::Call::Target, "a/b\0"));
    assert_eq!(found.params.project().unwrap_err().code, Code::NotFound, "`..` names no project");
    assert_eq!(found.params.text("scan").unwrap_err().code, Code::Internal);
    let spelt = projects::Call::find("GET", &path("/api/v1/projects/shop/%74argets")).unwrap();
    assert_eq!(spelt.call, projects::Call::Targets, "an encoded letter is that letter");
}

#[test]
fn a_public_call_is_known_by_its_path_and_has_one_method() {
    let at = path("/api/v1/scanners");
    assert_eq!(public::is(&public::SCANNERS, "GET", &at), Ok(true));
    assert_eq!(public::is(&public::OPENAPI, "GET", &at), Ok(false));
    assert_eq!(public::is(&public::OPENAPI, "POST", &at), Ok(false));
    assert_eq!(public::is(&public::SCANNERS, "POST", &at).unwrap_err().code, Code::MethodNotAllowed);
    assert_eq!((component("GET", &at), component("POST", &at)), (Some("ingest"), None));
}

#[test]
fn words_of_parameters_are_those_of_their_types() {
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
    for parameter in every().flat_map(Row::parameters) {
        match parameter.kind {
            Kind::Word(listed) => {
                assert_eq!(known[parameter.name], listed, "{}", parameter.name);
                checked.insert(parameter.name);
            }
            Kind::Number(from, to) if parameter.name == "limit" => {
                assert_eq!((from, usize::try_from(to)), (1, Ok(crate::page::LIMIT_MAX)));
            }
            Kind::Number(from, to) => assert!(from < to, "{}", parameter.name),
            Kind::Text | Kind::Flag => {}
        }
    }
    assert_eq!(checked, known.keys().copied().collect());
}
