//! Schemas of `domain`'s enums, which stand in version 1's types as words.

use domain::comparison::Bucket;
use domain::exemption::{Coverage, Reason, Scope, Status};
use domain::role::Role;
use domain::target::TargetType;
use domain::tracking::{Confidence, Stage};
use domain::verdict::Verdict;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use std::borrow::Cow;
use std::marker::PhantomData;

/// Stands for a word of `T` where a schema is made.
pub(crate) struct Word<T>(PhantomData<T>);

/// An enum that is written as a word.
pub(crate) trait Words: Serialize + Sized + 'static {
    /// All values.
    const ALL: &'static [Self];
}

impl<T: Words> JsonSchema for Word<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        std::any::type_name::<T>().into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "enum": T::ALL})
    }
}

impl Words for Role {
    const ALL: &'static [Self] = &Self::ALL;
}

impl Words for Bucket {
    const ALL: &'static [Self] = &Self::ALL;
}

impl Words for Status {
    const ALL: &'static [Self] = &Self::ALL;
}

impl Words for TargetType {
    const ALL: &'static [Self] = &Self::ALL;
}

impl Words for Stage {
    const ALL: &'static [Self] = &Self::ALL;
}

impl Words for Verdict {
    const ALL: &'static [Self] = &[Self::Pass, Self::Fail, Self::Undecided];
}

impl Words for Confidence {
    const ALL: &'static [Self] = &[Self::Low, Self::Medium, Self::High];
}

impl Words for Scope {
    const ALL: &'static [Self] = &Self::ALL;
}

impl Words for Reason {
    const ALL: &'static [Self] = &Self::ALL;
}

impl Words for Coverage {
    const ALL: &'static [Self] = &[Self::Exempted, Self::PartiallyExempted, Self::Pending, Self::Rejected];
}
