//! The values of the application's variables, and the templates components build from them.
//!
//! Precedence, highest first: overrides given by the program that embeds the host, `SPIN_VARIABLE_<NAME>` in the
//! environment, the manifest's default. A required variable without a value stops the start. Values never appear in
//! `Debug` output or messages: which of them are secret is not worth getting wrong.

use std::collections::BTreeMap;
use std::fmt;

use crate::manifest::Variable;

/// Every variable of the application with its value.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The reason why variables or a template cannot be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nobody supplied a required variable: the operator's to fix.
    #[error("variable {name:?} is required but has no value: set {environment} in the environment")]
    Missing {
        /// The variable.
        name: String,
        /// The environment variable that sets its value.
        environment: String,
    },
    /// A value was given for something the manifest does not declare: the operator's to fix.
    #[error("a value was given for variable {name:?}, which the manifest does not declare")]
    Undeclared {
        /// The variable.
        name: String,
    },
    /// A template refers to something the manifest does not declare: the manifest's author's to fix.
    #[error("the template {template:?} refers to variable {name:?}, which the manifest does not declare")]
    UndeclaredReference {
        /// The template.
        template: String,
        /// The variable.
        name: String,
    },
    /// A template with `{{` and no `}}`: the manifest's author's to fix.
    #[error("the template {template:?} has {{{{ without }}}}")]
    Unclosed {
        /// The template.
        template: String,
    },
}

/// The name of the environment variable that supplies `name`, after Spin's `variables-env`.
pub fn environment_name(name: &str) -> String {
    format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())
}

/// The value that the process's environment supplies for `name`, if any.
pub fn from_environment(name: &str) -> Option<String> {
    std::env::var(environment_name(name)).ok()
}

impl Variables {
    /// Gives every declared variable a value. `environment` answers for a variable's name, not for the environment's.
    pub(crate) fn resolve(
        declared: &BTreeMap<String, Variable>,
        overrides: &BTreeMap<String, String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Error> {
        if let Some(name) = overrides.keys().find(|name| !declared.contains_key(*name)) {
            return Err(Error::Undeclared { name: name.clone() });
        }
        let mut values = BTreeMap::new();
        for (name, variable) in declared {
            let value = overrides
                .get(name)
                .cloned()
                .or_else(|| environment(name))
                .or_else(|| variable.default.clone())
                .ok_or_else(|| Error::Missing { name: name.clone(), environment: environment_name(name) })?;
            values.insert(name.clone(), value);
        }
        Ok(Self(values))
    }

    /// Replaces every `{{ name }}` in `template`. Values are not templates themselves.
    pub(crate) fn expand(&self, template: &str) -> Result<String, Error> {
        let mut expanded = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                return Err(Error::Unclosed { template: template.to_owned() });
            };
            let name = name.trim();
            let value = self
                .0
                .get(name)
                .ok_or_else(|| Error::UndeclaredReference { template: template.to_owned(), name: name.to_owned() })?;
            expanded.push_str(before);
            expanded.push_str(value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(default: Option<&str>) -> Variable {
        Variable { default: default.map(str::to_owned), secret: true }
    }

    fn resolve(
        declared: &[(&str, Option<&str>)],
        overrides: &[(&str, &str)],
        environment: &[(&str, &str)],
    ) -> Result<Variables, Error> {
        let declared = declared.iter().map(|(name, default)| ((*name).to_owned(), variable(*default))).collect();
        let overrides = overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Variables::resolve(&declared, &overrides, |name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_nearest_source_of_a_value_wins() {
        let declared = &[("a", Some("default"))];
        type Values = &'static [(&'static str, &'static str)];
        let cases: &[(Values, Values, &str)] = &[
            (&[], &[], "default"),
            (&[], &[("a", "environment")], "environment"),
            (&[], &[("a", "")], ""),
            (&[("a", "override")], &[("a", "environment")], "override"),
        ];
        for (overrides, environment, expected) in cases {
            let variables = resolve(declared, overrides, environment).unwrap();
            assert_eq!(variables.expand("{{ a }}").as_deref(), Ok(*expected), "{overrides:?} {environment:?}");
        }
    }

    #[test]
    fn a_required_variable_without_a_value_is_named_with_the_way_to_set_it() {
        let error = resolve(&[("admin_token", None)], &[], &[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "variable \"admin_token\" is required but has no value: set SPIN_VARIABLE_ADMIN_TOKEN in the environment"
        );
        assert!(resolve(&[("admin_token", None)], &[], &[("admin_token", "x")]).is_ok());
    }

    #[test]
    fn a_value_for_an_undeclared_variable_is_refused() {
        let error = resolve(&[], &[("typo", "x")], &[]).unwrap_err();
        assert_eq!(error.to_string(), "a value was given for variable \"typo\", which the manifest does not declare");
    }

    #[test]
    fn templates_expand_once() {
        let variables = resolve(&[("a", Some("1")), ("b", Some("{{ a }}"))], &[], &[]).unwrap();
        let cases = [
            ("plain", Ok("plain")),
            ("{{ a }}", Ok("1")),
            ("{{a}}-{{ a }}", Ok("1-1")),
            ("x{{ b }}y", Ok("x{{ a }}y")),
            ("}} {", Ok("}} {")),
        ];
        for (template, expected) in cases {
            assert_eq!(variables.expand(template).as_deref(), expected.as_ref().map(|text: &&str| *text), "{template}");
        }
    }

    #[test]
    fn bad_templates_are_named() {
        let variables = resolve(&[("a", Some("1"))], &[], &[]).unwrap();
        let cases = [
            ("{{ c }}", "the template \"{{ c }}\" refers to variable \"c\", which the manifest does not declare"),
            ("{{ a", "the template \"{{ a\" has {{ without }}"),
        ];
        for (template, message) in cases {
            assert_eq!(variables.expand(template).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn values_are_not_in_debug_output() {
        let variables = resolve(&[("a", Some("hunter2"))], &[], &[]).unwrap();
        assert_eq!(format!("{variables:?}"), "{\"a\"}");
        assert!(!format!("{:?}", variable(Some("hunter2"))).contains("hunter2"));
    }
}
