//! The application manifest: `spin.toml`, version 2.
//!
//! Reads the part of Spin's manifest that this host implements, and refuses the rest by name: a key that is not
//! understood could be one that restricts the component. It resolves no variables and opens no files.

mod raw;

use std::collections::{BTreeMap, BTreeSet};

use crate::toml_file::TomlError;

/// A valid manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// `[application]`.
    pub application: Application,
    /// `[variables]`, by name.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]`, in the order of the file.
    pub triggers: Vec<Trigger>,
    /// `[component.<id>]`, by id.
    pub components: BTreeMap<String, Component>,
}

/// The manifest's section about the application itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// The name, which `/.well-known/spin/info` shows.
    pub name: String,
    /// The version; empty if none is given.
    pub version: String,
    /// A sentence for people; empty if none is given.
    pub description: String,
}

/// A variable of the application.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// The value when nobody supplies one; none for a required variable.
    pub default: Option<String>,
    /// True if the value must not be shown.
    pub secret: bool,
}

impl Variable {
    /// True if the operator must supply the value: Spin allows exactly one of `required` and `default`.
    pub fn required(&self) -> bool {
        self.default.is_none()
    }
}

impl std::fmt::Debug for Variable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = if self.secret { self.default.as_ref().map(|_| "***") } else { self.default.as_deref() };
        f.debug_struct("Variable").field("default", &shown).field("secret", &self.secret).finish()
    }
}

/// One `[[trigger.http]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    /// The source of requests.
    pub route: Route,
    /// The target that answers them.
    pub target: Target,
}

/// The source of a trigger's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Paths of this pattern, from anyone.
    Public(String),
    /// Only other components, by service chaining.
    Private,
}

/// The target that answers a trigger's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The component of this id.
    Component(String),
    /// A fixed response.
    Static(StaticResponse),
}

/// A response written in the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticResponse {
    /// The status, 200 if none is given.
    pub status_code: http::StatusCode,
    /// The headers.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: String,
}

/// One `[component.<id>]`. The templates in it are not expanded yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// The path of the Wasm file, relative to the manifest.
    pub source: String,
    /// The labels the component may open.
    pub key_value_stores: BTreeSet<String>,
    /// The hosts the component may reach, as patterns.
    pub allowed_outbound_hosts: Vec<String>,
    /// The component's variables, as templates over the application's.
    pub variables: BTreeMap<String, String>,
    /// The component's environment.
    pub environment: BTreeMap<String, String>,
}

/// A manifest that cannot be used: always the fault of who wrote it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not TOML, or a key that is unknown, unsupported, missing or of the wrong type.
    #[error(transparent)]
    Toml(#[from] TomlError),
    /// Another version of the format.
    #[error("{file}: spin_manifest_version is {found}, but this host reads version 2 only")]
    Version {
        /// The manifest.
        file: String,
        /// The number found.
        found: i64,
    },
    /// A name that breaks the rule for its kind.
    #[error("{file}: {kind} {name:?} is not {rule}")]
    Name {
        /// The manifest.
        file: String,
        /// The kind of the name.
        kind: &'static str,
        /// The name.
        name: String,
        /// The rule for such names.
        rule: &'static str,
    },
    /// A variable with both or neither of `required` and `default`.
    #[error("{file}: variable {name:?} must have exactly one of `required = true` and `default`")]
    Variable {
        /// The manifest.
        file: String,
        /// The variable.
        name: String,
    },
    /// A trigger with both or neither of `component` and `static_response`.
    #[error("{file}: the trigger for {route} must have exactly one of `component` and `static_response`")]
    Target {
        /// The manifest.
        file: String,
        /// The trigger's route.
        route: String,
    },
    /// A trigger for a component that is not declared.
    #[error("{file}: the trigger for {route} names component {component:?}, which the manifest does not declare")]
    UnknownComponent {
        /// The manifest.
        file: String,
        /// The trigger's route.
        route: String,
        /// The id it names.
        component: String,
    },
    /// A static response that HTTP does not allow.
    #[error("{file}: the static response for {route} has an invalid {part}")]
    StaticResponse {
        /// The manifest.
        file: String,
        /// The trigger's route.
        route: String,
        /// The part.
        part: String,
    },
    /// `{ private = false }`.
    #[error("{file}: a route is a pattern or {{ private = true }}, not {{ private = false }}")]
    NotPrivate {
        /// The manifest.
        file: String,
    },
}

impl Manifest {
    /// Reads a manifest. `file` is its name in messages.
    ///
    /// # Errors
    ///
    /// Whatever is not a valid manifest of version 2, or asks for something this host does not offer.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        raw::parse(file, text)
    }
}

/// `kebab-case`, as Spin wants of component ids and the component model of names: groups of lower-case letters and
/// digits joined by single hyphens, each starting with a letter.
fn is_kebab_case(name: &str) -> bool {
    name.split('-').all(is_word)
}

/// `snake_case`, as Spin wants of variables.
fn is_snake_case(name: &str) -> bool {
    name.split('_').enumerate().all(|(index, group)| {
        if index == 0 { is_word(group) } else { !group.is_empty() && group.chars().all(is_word_char) }
    })
}

fn is_word(group: &str) -> bool {
    group.starts_with(|first: char| first.is_ascii_lowercase()) && group.chars().all(is_word_char)
}

fn is_word_char(char: char) -> bool {
    char.is_ascii_lowercase() || char.is_ascii_digit()
}

#[cfg(test)]
mod tests;
