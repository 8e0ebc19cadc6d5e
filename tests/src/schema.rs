//! Validation against JSON Schema 2020-12, by [Ajv](https://ajv.js.org) in a Node.js process.
//!
//! A Rust crate for this, as a dependency of this package, would enable features of crates that ship.

use crate::files::{target, workspace};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// A process that validates values against defined schemas. Dropping it ends the process.
pub struct Schemas {
    child: Child,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

impl Schemas {
    /// Starts the process.
    pub fn start() -> Self {
        let packages = target().join("npm");
        assert!(packages.join("node_modules/ajv").is_dir(), "Ajv is missing; `cargo xtask test` fetches it");
        let mut child = Command::new("node")
            .arg(workspace().join("tests/npm/validate.mjs"))
            .arg(packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("node cannot be started: {error}"));
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, pipes: Mutex::new((input, BufReader::new(output))) }
    }

    /// Compiles a schema under a name.
    pub fn define(&self, id: &str, schema: &Value) {
        assert_eq!(self.request(&json!({"define": id, "schema": schema})), [] as [String; 0]);
    }

    /// Returns the errors of a value, each with its path; empty if the schema allows it.
    pub fn errors(&self, id: &str, value: &Value) -> Vec<String> {
        self.request(&json!({"id": id, "value": value}))
    }

    fn request(&self, request: &Value) -> Vec<String> {
        let (input, output) = &mut *self.pipes.lock().unwrap();
        writeln!(input, "{request}").unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the validator answered `{line}`: {error}"))
    }
}

impl Drop for Schemas {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_the_schema_forbids_is_an_error() {
        let schemas = Schemas::start();
        schemas.define("named", &json!({"$ref": "#/components/name", "components": {"name": {"type": "string"}}}));
        assert_eq!(schemas.errors("named", &json!("x")), [] as [String; 0]);
        assert_eq!(schemas.errors("named", &json!(1)), ["/: must be string"]);
    }
}
