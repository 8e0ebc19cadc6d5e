//! Generates the document, and compares it with the one in the repository.

use super::generated::{compare, one_line};
use crate::access::Access;
use crate::calls::{CallSpec, Parameter, ParameterKind, RequestBody, all};
use crate::problem::{self, Code};
use domain::role::Role;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The media types of a report: the report alone, and a form with a sidecar.
const REPORT: [&str; 2] = ["application/octet-stream", "multipart/form-data"];

/// The description of the API as a whole.
const ABOUT: &str = "Gatehouse receives the reports of security scanners, deduplicates and compares their findings, \
                     and answers a pipeline with a verdict: pass, fail or undecided. Lists come in pages: the `next` \
                     of a page is the `cursor` of the next one. Every error is a `Problem`; its `type` ends with one \
                     of the codes that `docs/problems.md` explains.";
/// The description of the authentication.
const TOKEN: &str = "A token of the project or of an account admin.";

/// The collected types, as components of the document.
struct Schemas {
    /// The types of responses: fields that are omitted when empty are not required.
    answers: SchemaGenerator,
    /// The types of request bodies: fields with a default are not required.
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

    /// All types by name. A type that is both a body and a response must have one schema.
    fn into_components(self) -> Map<String, Value> {
        let [mut answers, mut bodies] =
            [self.answers, self.bodies].map(|mut generator| generator.take_definitions(true));
        let mut all = Map::new();
        for (name, body) in &mut bodies {
            without_defaults(body);
            if let Some(answer) = answers.get_mut(name) {
                without_defaults(answer);
                assert_eq!(body, answer, "`{name}` is both a body and a response, and its two schemas differ");
            }
            all.insert(name.clone(), body.clone());
        }
        // Types that are also bodies are equal, as checked above.
        all.extend(answers);
        all.values_mut().for_each(join_lines);
        all
    }
}

/// Removes the defaults, which only the schemas of bodies contain and which repeat that a field is not required.
fn without_defaults(schema: &mut Value) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut) {
        property.remove("default");
    }
}

/// Puts each description on one line: line breaks of a doc comment mean nothing.
fn join_lines(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if let (Value::String(text), "description") = (&mut *field, name.as_str()) {
                    *text = one_line(text);
                } else {
                    join_lines(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(join_lines),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn content(media_type: &str, schema: Value) -> Value {
    json!({media_type: {"schema": schema}})
}

fn query(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        ParameterKind::Text => json!({"type": "string"}),
        ParameterKind::Flag => json!({"type": "boolean"}),
        ParameterKind::Number(from, to) => json!({"type": "integer", "minimum": from, "maximum": to}),
        ParameterKind::Word(words) => json!({"type": "string", "enum": words}),
    };
    let Parameter { name, required, meaning, .. } = parameter;
    json!({"name": name, "in": "query", "required": required, "description": meaning, "schema": schema})
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn parameters(call: &CallSpec) -> Vec<Value> {
    let of_path = path_names(call.path)
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}));
    let key = json!({
        "name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string", "maxLength": 255},
        "description": "A request that the same subject repeats under the same key within 7 days takes effect only once. Its answer has the header `Idempotent-Replayed: true`.",
    });
    let version = json!({
        "name": "If-Match", "in": "header", "required": false, "schema": {"type": "string"},
        "description": "The `version` that the change is made on, in double quotes. If it is not the present one, nothing \
                        changes, and the answer is 412. Default: any version.",
    });
    let headers = [call.repeatable.then_some(key), call.conditional.then_some(version)];
    of_path.chain(call.parameters().map(query)).chain(headers.into_iter().flatten()).collect()
}

fn responses(call: &CallSpec, schemas: &mut Schemas) -> Value {
    let mut good = json!({"description": "Success."});
    if let Some(shape) = &call.answer.body {
        good["content"] = content("application/json", (shape.schema)(&mut schemas.answers).to_value());
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    call.all_problems().iter().for_each(|code| by_status.entry(code.status()).or_default().push(code.as_str()));
    let problem = schemas.answers.subschema_for::<problem::Document>().to_value();
    let bad = by_status.into_iter().map(|(status, codes)| {
        let response =
            json!({"description": codes.join(", "), "content": content(problem::MEDIA_TYPE, problem.clone())});
        (status.to_string(), response)
    });
    let all: Map<_, _> = [(call.answer.status.to_string(), good)].into_iter().chain(bad).collect();
    Value::Object(all)
}

fn body(call: &CallSpec, schemas: &mut Schemas) -> Option<Value> {
    match &call.body {
        RequestBody::None => None,
        RequestBody::Json(shape) => {
            Some(json!({"content": content("application/json", (shape.schema)(&mut schemas.bodies).to_value())}))
        }
        RequestBody::Report => {
            let content: Map<_, _> = REPORT.map(|media_type| (media_type.to_owned(), json!({}))).into_iter().collect();
            Some(json!({"required": true, "content": content}))
        }
    }
}

fn operation(call: &CallSpec, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "summary": one_line(call.summary),
        "parameters": parameters(call),
        "responses": responses(call, schemas),
        "x-gatehouse-right": call.access.as_str(),
        "x-gatehouse-roles": roles(call.access),
    });
    if let Some(body) = body(call, schemas) {
        operation["requestBody"] = body;
    }
    if call.access == Access::Public {
        operation["security"] = json!([]);
    }
    operation
}

/// The roles that may make the call with a token of the project.
fn roles(access: Access) -> Vec<&'static str> {
    match access {
        Access::Public | Access::Account => Vec::new(),
        Access::AnyToken => Role::ALL.map(Role::as_str).to_vec(),
        Access::Right(right) => right.roles().map(Role::as_str).collect(),
    }
}

fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for (call, _) in all() {
        let path = paths.entry(call.path).or_insert_with(|| json!({}));
        path[call.method.to_ascii_lowercase()] = operation(call, &mut schemas);
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
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": TOKEN}},
        },
    })
}

#[test]
fn the_document_in_the_repository_matches_the_calls() {
    let text = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    compare("crates/api/openapi.json", &text);
}

/// Collects every `$ref` inside a value.
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
fn every_code_that_a_call_can_answer_with_is_in_the_document() {
    let document = document();
    let listed: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|path| path.as_object().unwrap().values())
        .flat_map(|operation| operation["responses"].as_object().unwrap().values())
        .flat_map(|response| response["description"].as_str().unwrap().split(", "))
        .collect();
    // No call answers a wrong method.
    let all = Code::ALL.iter().filter(|code| **code != Code::MethodNotAllowed);
    assert_eq!(
        all.map(|code| code.as_str()).filter(|code| !listed.contains(code)).collect::<Vec<_>>(),
        [] as [&str; 0]
    );
}

#[test]
fn a_schema_matches_what_serde_writes() {
    fn names<T: JsonSchema>() -> String {
        Schemas::new().answers.root_schema_for::<T>().to_value()["required"].to_string()
    }
    assert_eq!(names::<crate::v1::TargetRef>(), r#"["name","type"]"#);
    assert_eq!(names::<problem::Document>(), r#"["type","title","status","detail"]"#);
}
