//! Every call of the API by every caller, against the OpenAPI document of the running application: who may make it,
//! that refused callers learn nothing, and that answers match the document.

mod cases;
mod document;

use cases::{CASES, Case, Example, World};
use document::{Document, Operation};
use std::collections::BTreeSet;
use tests::{Client, Reply};

/// An unused id.
const NO_ID: &str = "00000000000000000000000000000000";
/// A project that does not exist, with a name as long as the existing one's.
const NO_PROJECT: &str = "none";

/// A row of the table for a call, and the document's operation.
struct Call<'a> {
    case: &'a Case,
    operation: &'a Operation,
}

impl Call<'_> {
    /// The status that a caller must get.
    fn expected(&self, caller: &str) -> u16 {
        let may = |name: &str| self.case.permitted.split(' ').any(|caller| caller == name);
        match caller {
            _ if may("everybody") || may(caller) => self.case.status,
            "anonymous" | "stranger" => 401,
            // A caller of another project learns nothing, not even that a right is missing.
            "neighbour" if self.case.path.contains("{project}") => 404,
            _ => 403,
        }
    }

    /// The call's name, for messages.
    fn name(&self) -> String {
        format!("{} {}", self.case.method, self.case.path)
    }

    /// Makes the call for an example in a project, and adds a fault if the answer does not match the document.
    fn make(&self, client: &Client, project: &str, example: &Example, faults: &mut Vec<String>) -> Reply {
        let (path, body) = (example.path(self.case.path, project), &example.body);
        let reply = client.send(self.case.method, &path, &[], body);
        faults.extend(self.operation.fault(&reply).map(|fault| format!("{}: {fault}", self.name())));
        reply
    }
}

/// The table's rows with their operations; fails if one of them is missing.
fn calls(document: &Document) -> Vec<Call<'_>> {
    let declared: BTreeSet<_> = document.operations.keys().cloned().collect();
    let tried: BTreeSet<_> =
        CASES.iter().map(|case| (case.method.to_ascii_lowercase(), case.path.to_owned())).collect();
    assert_eq!(tried, declared, "the test's table and the document list other calls");
    assert_eq!(tried.len(), CASES.len(), "a call is listed twice");
    let operation = |case: &Case| &document.operations[&(case.method.to_ascii_lowercase(), case.path.to_owned())];
    CASES.iter().map(|case| Call { case, operation: operation(case) }).collect()
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The parts of an answer that must not depend on what exists.
fn seen(reply: &Reply) -> (u16, Option<String>, String) {
    let media_type = reply.headers.get("content-type").map(|value| value.to_str().unwrap_or_default().to_owned());
    (reply.status, media_type, reply.whole_text())
}

#[test]
fn every_caller_may_make_exactly_the_calls_of_its_role() {
    let world = World::new();
    let document = Document::of(&world.account);
    let mut faults = Vec::new();
    for call in calls(&document) {
        let roles: BTreeSet<_> = call.case.permitted.split(' ').filter(|name| cases::ROLES.contains(name)).collect();
        if roles != call.operation.roles() {
            faults.push(format!("{}: the document names the roles {:?}", call.name(), call.operation.roles()));
        }
        for (caller, client) in world.callers() {
            let reply = call.make(client, cases::PROJECT, &(call.case.example)(&world), &mut faults);
            let expected = call.expected(caller);
            // After too many unknown tokens the answer is 429 instead.
            let guessed = caller == "stranger" && expected == 401 && reply.status == 429;
            if reply.status != expected && !guessed {
                faults.push(format!("{} by {caller}: {expected}, not {}: {}", call.name(), reply.status, reply.text()));
            }
        }
    }
    none(&faults);
}

#[test]
fn a_refusal_does_not_depend_on_what_exists() {
    let world = World::new();
    let document = Document::of(&world.account);
    let (mut faults, mut compared) = (Vec::new(), 0);
    for call in calls(&document) {
        for (caller, client) in world.callers() {
            // The answer to an unknown token depends on how many were tried.
            if call.expected(caller) == call.case.status || caller == "stranger" {
                continue;
            }
            let real = (call.case.example)(&world);
            let reply = call.make(client, cases::PROJECT, &real, &mut faults);
            let made_up = call.make(client, cases::PROJECT, &real.with_nothing_there(), &mut faults);
            if seen(&reply) != seen(&made_up) {
                faults.push(format!("{} by {caller}: {} but {}", call.name(), reply.text(), made_up.text()));
            }
            // Only for callers of other projects: a caller knows its own project.
            if caller == "neighbour" && call.case.path.contains("{project}") {
                let elsewhere = call.make(client, NO_PROJECT, &real, &mut faults);
                let (status, media_type, text) = seen(&elsewhere);
                if seen(&reply) != (status, media_type, text.replace(NO_PROJECT, cases::PROJECT)) {
                    faults.push(format!("{} by {caller}: {} but {}", call.name(), reply.text(), elsewhere.text()));
                }
            }
            compared += 1;
        }
    }
    assert!(2 * CASES.len() < compared, "only {compared} answers were compared");
    none(&faults);
}

#[test]
fn a_call_takes_exactly_the_documented_parameters() {
    let world = World::new();
    let document = Document::of(&world.account);
    let mut faults = Vec::new();
    for call in calls(&document) {
        let example = (call.case.example)(&world);
        let mut refused = |example: &Example, about: &str| {
            let reply = call.make(&world.account, cases::PROJECT, example, &mut faults);
            let named = reply.json["detail"].as_str().is_some_and(|detail| detail.contains(about));
            if reply.status != 400 || !named {
                faults.push(format!("{} with `{about}`: {} {}", call.name(), reply.status, reply.text()));
            }
        };
        refused(&example.with("not-there", "1"), "`not-there`");
        for (name, required) in call.operation.query() {
            // No parameter accepts a NUL and an open parenthesis. The message for the scanner does not name the
            // parameter.
            let about = if name == "scanner" && required { "unknown scanner".to_owned() } else { format!("`{name}`") };
            refused(&example.with(&name, "\0("), &about);
            if required {
                refused(&example.without(&name), &format!("`{name}`"));
            }
        }
    }
    none(&faults);
}

#[test]
fn the_answer_to_a_wrong_method_lists_the_allowed_ones() {
    let world = World::new();
    let document = Document::of(&world.account);
    for call in calls(&document) {
        let path = (call.case.example)(&world).path(call.case.path, cases::PROJECT);
        let reply = world.account.send("OPTIONS", &path, &[], b"");
        reply.expect_problem(405, "method-not-allowed");
        let allowed = reply.headers.get("allow").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let allowed: BTreeSet<_> = allowed.split(", ").map(str::to_ascii_lowercase).collect();
        assert_eq!(allowed, document.methods(call.case.path), "{path}");
    }
}
