//! The running application's OpenAPI document, and checks of answers against it.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tests::{Client, Reply, Schemas};

/// The document.
pub(crate) struct Document {
    /// Its operations by method, in lower case, and path.
    pub(crate) operations: BTreeMap<(String, String), Operation>,
}

/// An operation.
pub(crate) struct Operation {
    declared: Value,
    /// The media type of each status's body, and the name of its schema.
    bodies: BTreeMap<String, (String, String)>,
    schemas: Rc<Schemas>,
}

impl Document {
    /// Fetches it without a token.
    pub(crate) fn of(client: &Client) -> Self {
        let document: Value = client.with_token("").find("/api/v1/openapi.json");
        assert_eq!(document["openapi"], "3.1.0");
        let (mut operations, schemas) = (BTreeMap::new(), Rc::new(Schemas::start()));
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, declared) in methods.as_object().unwrap() {
                let operation = Operation::new(&document, declared, &format!("{method} {path}"), &schemas);
                operations.insert((method.clone(), path.clone()), operation);
            }
        }
        Self { operations }
    }

    /// The methods of a path, in lower case.
    pub(crate) fn methods(&self, path: &str) -> BTreeSet<String> {
        self.operations.keys().filter(|(_, of)| of == path).map(|(method, _)| method.clone()).collect()
    }
}

impl Operation {
    fn new(document: &Value, declared: &Value, name: &str, schemas: &Rc<Schemas>) -> Self {
        let mut bodies = BTreeMap::new();
        for (status, response) in declared["responses"].as_object().unwrap() {
            for (media_type, content) in response["content"].as_object().into_iter().flatten() {
                // References point into the document.
                let mut schema = content["schema"].clone();
                if let Some(schema) = schema.as_object_mut() {
                    schema.insert("components".to_owned(), document["components"].clone());
                }
                let id = format!("{name} {status}");
                schemas.define(&id, &schema);
                bodies.insert(status.clone(), (media_type.clone(), id));
            }
        }
        Self { declared: declared.clone(), bodies, schemas: Rc::clone(schemas) }
    }

    /// The roles in a project that may make the call.
    pub(crate) fn roles(&self) -> BTreeSet<&str> {
        self.declared["x-gatehouse-roles"].as_array().unwrap().iter().map(|role| role.as_str().unwrap()).collect()
    }

    /// The query parameters; true for the required ones.
    pub(crate) fn query(&self) -> Vec<(String, bool)> {
        let all = self.declared["parameters"].as_array().unwrap().iter();
        all.filter(|parameter| parameter["in"] == "query")
            .map(|parameter| (parameter["name"].as_str().unwrap().to_owned(), parameter["required"] == true))
            .collect()
    }

    /// Describes how an answer differs from the document, if it does.
    pub(crate) fn fault(&self, reply: &Reply) -> Option<String> {
        let status = reply.status.to_string();
        let Some(response) = self.declared["responses"].get(&status) else {
            return Some(format!("the status {status} is not documented: {}", reply.text()));
        };
        let code = reply.json["type"].as_str().and_then(|kind| kind.rsplit(':').next()).unwrap_or_default();
        let codes = response["description"].as_str().unwrap();
        if reply.status >= 400 && !codes.split(", ").any(|known| known == code) {
            return Some(format!("the problem {code} is not documented for {status}: {}", reply.text()));
        }
        let Some((media_type, schema)) = self.bodies.get(&status) else {
            return (!reply.body.is_empty()).then(|| format!("{status} has no documented body: {}", reply.text()));
        };
        if reply.headers.get("content-type").is_none_or(|found| found != media_type.as_str()) {
            return Some(format!("{status} is not {media_type}: {:?}", reply.headers));
        }
        let errors = self.schemas.errors(schema, &reply.json);
        (!errors.is_empty()).then(|| format!("{status} is not as documented: {}", errors.join("; ")))
    }
}
