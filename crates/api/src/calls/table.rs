//! The calls of one component as an enum, and a call found for a request.

use super::spec::{CallSpec, segments, variable};
use crate::problem::Problem;
use domain::ids::ProjectId;
use std::fmt;
use std::str::FromStr;

/// Makes the enum of a component's calls, and implements [`CallTable`] for it. The doc comment of an entry is the
/// call's description for users; its value is the call's declaration.
macro_rules! calls {
    ($enum:ident of $component:literal: $($(#[doc = $doc:literal])+ $name:ident = $spec:expr;)+) => {
        #[doc = concat!("Calls that the component `", $component, "` answers.")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $enum {
            $($(#[doc = $doc])+ $name,)+
        }

        impl $crate::calls::CallTable for $enum {
            const COMPONENT: &'static str = $component;
            const ALL: &'static [Self] = &[$(Self::$name),+];

            fn spec(self) -> &'static $crate::calls::CallSpec {
                match self {
                    $(Self::$name => {
                        static SPEC: $crate::calls::CallSpec = $spec.summary(concat!($($doc),+));
                        &SPEC
                    })+
                }
            }
        }
    };
}
pub(crate) use calls;

/// The calls of one component.
pub trait CallTable: Copy + 'static {
    /// The name of the component.
    const COMPONENT: &'static str;

    /// All calls, in the order of the documentation.
    const ALL: &'static [Self];

    /// The declaration of the call.
    fn spec(self) -> &'static CallSpec;
}

/// A call that was found for a request, with the variable segments of its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedCall<C> {
    /// The call.
    pub call: C,
    /// The variable segments of the path.
    pub params: PathParams,
}

/// The values of a path's variable segments, by the names that the template gives them in braces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathParams {
    values: Vec<(&'static str, String)>,
}

impl PathParams {
    pub(super) fn new(template: &'static str, path: &[String]) -> Self {
        let named = segments(template).zip(path);
        let values = named.filter_map(|(part, value)| Some((variable(part)?, value.clone()))).collect();
        Self { values }
    }

    /// The text of a segment.
    ///
    /// # Errors
    /// `Internal`: the template has no such name.
    pub fn text(&self, name: &str) -> Result<&str, Problem> {
        let value = self.values.iter().find(|(known, _)| *known == name);
        value
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| Problem::internal(format!("the path of the call has no `{{{name}}}`")))
    }

    /// Parses a segment.
    ///
    /// # Errors
    /// `NotFound`: the text is not a valid `T`, so nothing of this name can exist.
    pub fn read<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<T, Problem> {
        self.text(name)?.parse().map_err(|error| Problem::not_found(format!("{error}")))
    }

    /// The project that the path names; absent if the template has no `{project}`.
    ///
    /// # Errors
    /// `NotFound`: the text is not a valid project name.
    pub fn project(&self) -> Result<Option<ProjectId>, Problem> {
        let named = self.values.iter().any(|(name, _)| *name == "project");
        named.then(|| self.read("project")).transpose()
    }
}
