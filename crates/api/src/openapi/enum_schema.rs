//! Schemas of the enums of `domain` that version 1 writes as words.

use domain::blind_spots::SpotState;
use domain::comparison::Bucket;
use domain::exemption::{Coverage, EpssBand, Reason, Scope, Status};
use domain::role::Role;
use domain::target::TargetType;
use domain::tracking::{Confidence, Stage};
use domain::verdict::Verdict;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use std::borrow::Cow;
use std::marker::PhantomData;

/// The schema of the enum `T`: a string with the enum's words.
pub(crate) struct EnumSchema<T>(PhantomData<T>);

/// An enum that serde writes as a word.
pub(crate) trait WordEnum: Serialize + Sized + 'static {
    /// All values.
    const ALL: &'static [Self];
}

impl<T: WordEnum> JsonSchema for EnumSchema<T> {
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

impl WordEnum for Role {
    const ALL: &'static [Self] = &Self::ALL;
}

impl WordEnum for Bucket {
    const ALL: &'static [Self] = &Self::ALL;
}

impl WordEnum for SpotState {
    const ALL: &'static [Self] = &Self::ALL;
}

impl WordEnum for Status {
    const ALL: &'static [Self] = &Self::ALL;
}

impl WordEnum for TargetType {
    const ALL: &'static [Self] = &Self::ALL;
}

impl WordEnum for Stage {
    const ALL: &'static [Self] = &Self::ALL;
}

impl WordEnum for Verdict {
    const ALL: &'static [Self] = &[Self::Pass, Self::Fail, Self::Undecided];
}

impl WordEnum for Confidence {
    const ALL: &'static [Self] = &[Self::Low, Self::Medium, Self::High];
}

impl WordEnum for Scope {
    const ALL: &'static [Self] = &Self::ALL;
}

impl WordEnum for Reason {
    const ALL: &'static [Self] = &Self::ALL;
}

impl WordEnum for Coverage {
    const ALL: &'static [Self] = &[Self::Exempted, Self::PartiallyExempted, Self::Pending, Self::Rejected];
}

impl WordEnum for EpssBand {
    const ALL: &'static [Self] = &Self::ALL;
}
