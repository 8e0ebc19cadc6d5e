//! Writes the document, and checks that the one in the repository is it.

use crate::calls::{Access, Body, Kind, Parameter, Row, every};
use crate::problem::{self, Code};
use domain::role::Role;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The media types of a report: whatever it is, and a form with code beside it.
const REPORT: [&str; 2] = ["application/octet-stream", "multipart/form-data"];

/// What is said of the API as a whole.
const ABOUT: &str = "Takes security scanners' reports, deduplicates and compares them, and answers a pipeline: pass or \
                     fail. Lists come in pages: `next` is the `cursor` of the next one. Whatever goes wrong is a \
                     `Problem`, whose `type` ends in one of the codes that `docs/problems.md` explains.";

/// The types that were met, as components of the document.
struct Schemas {
    /// Of what is answered: what is left out when it is empty is not required.
    answers: SchemaGenerator,
    /// Of what is sent: what has a default is not required.
    bodies: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            answers: settings.clone().for_serialize().into_generator(),
            bodies: settings.for_deserialize().into_generator(),
        }
    }

    /// All types by name. One that is both sent and answered must have one schema.
    fn into_components(self) -> Map<String, Value> {
        let [mut answers, mut bodies] =
            [self.answers, self.bodies].map(|mut generator| generator.take_definitions(true));
        let mut all = Map::new();
        for (name, body) in &mut bodies {
            without_defaults(body);
            if let Some(answer) = answers.get_mut(name) {
                without_defaults(answer);
                assert_eq!(body, answer, "{name} is sent and answered, and its two schemas differ");
            }
            all.insert(name.clone(), body.clone());
        }
        // The bodies among them were just found to be equal.
        all.extend(answers);
        all
    }
}

/// A default says again that something is not required; only one of the two directions would say it.
fn without_defaults(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        property.remove("default");
    }
}

fn content(media_type: &str, schema: Value) -> Value {
    json!({media_type: {"schema": schema}})
}

fn query(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Number(from, to) => json!({"type": "integer", "minimum": from, "maximum": to}),
        Kind::Word(words) => json!({"type": "string", "enum": words}),
    };
    let Parameter { name, required, meaning, .. } = parameter;
    json!({"name": name, "in": "query", "required": required, "description": meaning, "schema": schema})
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn parameters(row: &Row) -> Vec<Value> {
    let of_path = path_names(row.path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string", "maxLength": 255},
        "description": "Under the same key the same request may be sent again, and is done once.",
    });
    of_path.chain(row.parameters().map(query)).chain(row.repeatable.then_some(key)).collect()
}

fn responses(row: &Row, schemas: &mut Schemas) -> Value {
    let mut good = json!({"description": "As asked."});
    if let Some(shape) = &row.answer.shape {
        good["content"] = content("application/json", (shape.schema)(&mut schemas.answers).to_value());
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    row.all_problems().iter().for_each(|code| by_status.entry(code.status()).or_default().push(code.as_str()));
    let problem = schemas.answers.subschema_for::<problem::Document>().to_value();
    let bad = by_status.into_iter().map(|(status, codes)| {
        let response =
            json!({"description": codes.join(", "), "content": content(problem::MEDIA_TYPE, problem.clone())});
        (status.to_string(), response)
    });
    let all: Map<_, _> = [(row.answer.status.to_string(), good)].into_iter().chain(bad).collect();
    Value::Object(all)
}

fn body(row: &Row, schemas: &mut Schemas) -> Option<Value> {
    match &row.body {
        Body::None => None,
        Body::Json(shape) => {
            Some(json!({"content": content("application/json", (shape.schema)(&mut schemas.bodies).to_value())}))
        }
        Body::Report => {
            let content: Map<_, _> = REPORT.map(|media_type| (media_type.to_owned(), json!({}))).into_iter().collect();
            Some(json!({"required": true, "content": content}))
        }
    }
}

fn operation(row: &Row, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "summary": summary(row),
        "parameters": parameters(row),
        "responses": responses(row, schemas),
        "x-gatehouse-right": row.access.as_str(),
        "x-gatehouse-roles": roles(row.access),
    });
    if let Some(body) = body(row, schemas) {
        operation["requestBody"] = body;
    }
    if row.access == Access::Public {
        operation["security"] = json!([]);
    }
    operation
}

/// The roles in a project that may make the call.
fn roles(access: Access) -> Vec<&'static str> {
    match access {
        Access::Public | Access::Account => Vec::new(),
        Access::Anybody => Role::ALL.map(Role::as_str).to_vec(),
        Access::Right(right) => right.roles().map(Role::as_str).collect(),
    }
}

/// What a call does, on one line.
pub(super) fn summary(row: &Row) -> String {
    row.summary.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for row in every() {
        let path = paths.entry(row.path).or_insert_with(|| json!({}));
        path[row.method.to_ascii_lowercase()] = operation(row, &mut schemas);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Gatehouse", "version": "1", "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.into_components(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A token of the project."}},
        },
    })
}

#[test]
fn the_document_in_the_repository_is_what_the_calls_say() {
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    super::page::compare("crates/api/openapi.json", &text);
}

/// Every `$ref` below a value.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_reference_leads_to_a_type_and_every_type_is_referred_to() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    let types = document["components"]["schemas"].as_object().unwrap();
    let types: BTreeSet<_> = types.keys().map(|name| format!("#/components/schemas/{name}")).collect();
    assert_eq!(found, types.iter().map(String::as_str).collect());
    assert!(types.len() > 30, "{}", types.len());
}

#[test]
fn every_code_that_a_call_can_answer_with_stands_in_the_document() {
    let document = document();
    let told: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .flat_map(|operation| operation["responses"].as_object().unwrap().values())
        .flat_map(|response| response["description"].as_str().unwrap().split(", "))
        .collect();
    // A wrong method is none of a path's calls.
    let all = Code::ALL.iter().filter(|code| **code != Code::MethodNotAllowed);
    assert_eq!(all.map(|code| code.as_str()).filter(|code| !told.contains(code)).collect::<Vec<_>>(), [] as [&str; 0]);
}

#[test]
fn a_schema_is_what_serde_writes() {
    fn names<T: JsonSchema>() -> String {
        Schemas::new().answers.root_schema_for::<T>().to_value()["required"].to_string()
    }
    assert_eq!(names::<crate::v1::TargetRef>(), r#"["name","type"]"#);
    assert_eq!(names::<problem::Document>(), r#"["type","title","status","detail"]"#);
}
