//! The manifest as it stands in the file, and the checks that make it a [`Manifest`].
//!
//! Every struct denies unknown fields: that is what names an unsupported key to the user.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer};

use super::{Application, Component, Error, Manifest, Route, StaticResponse, Target, Trigger, Variable};
use super::{is_kebab_case, is_snake_case};
use crate::toml_file;

const KEBAB_CASE: &str = "kebab-case (lower-case letters and digits in groups joined by single hyphens)";
const SNAKE_CASE: &str = "snake_case (lower-case letters and digits in groups joined by single underscores)";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    spin_manifest_version: i64,
    application: RawApplication,
    #[serde(default)]
    variables: BTreeMap<String, RawVariable>,
    #[serde(default)]
    trigger: RawTriggers,
    #[serde(default)]
    component: BTreeMap<String, RawComponent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApplication {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    description: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    /// Environments that `spin build` checks against; nothing for a host to do.
    #[serde(default, rename = "targets")]
    _targets: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVariable {
    default: Option<String>,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    secret: bool,
    #[serde(default, rename = "description")]
    _description: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawTriggers {
    #[serde(default)]
    http: Vec<RawTrigger>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTrigger {
    #[serde(default, rename = "id")]
    _id: Option<String>,
    route: RawRoute,
    component: Option<String>,
    static_response: Option<RawStaticResponse>,
}

/// `route = "/a/..."` or `route = { private = true }`.
enum RawRoute {
    Pattern(String),
    Endpoint(RawEndpoint),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEndpoint {
    private: bool,
}

/// By hand, because an untagged enum would answer an unknown key with "did not match any variant".
impl<'de> Deserialize<'de> for RawRoute {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RouteVisitor;
        impl<'de> Visitor<'de> for RouteVisitor {
            type Value = RawRoute;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a route pattern or { private = true }")
            }

            fn visit_str<E: serde::de::Error>(self, pattern: &str) -> Result<RawRoute, E> {
                Ok(RawRoute::Pattern(pattern.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawRoute, A::Error> {
                RawEndpoint::deserialize(MapAccessDeserializer::new(map)).map(RawRoute::Endpoint)
            }
        }
        deserializer.deserialize_any(RouteVisitor)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStaticResponse {
    status_code: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawComponent {
    source: String,
    #[serde(default, rename = "description")]
    _description: Option<String>,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// The command with which `spin build` makes the file; a host ignores it.
    #[serde(default, rename = "build")]
    _build: Option<IgnoredAny>,
}

pub(super) fn parse(file: &str, text: &str) -> Result<Manifest, Error> {
    // The version first: in another version other keys exist, and complaining of those would mislead.
    #[derive(Deserialize)]
    struct Version {
        spin_manifest_version: i64,
    }
    let Version { spin_manifest_version: found } = toml_file::parse(file, text)?;
    if found != 2 {
        return Err(Error::Version { file: file.to_owned(), found });
    }
    let raw: RawManifest = toml_file::parse(file, text)?;
    debug_assert_eq!(raw.spin_manifest_version, found);
    let named = |kind, name: &str, rule| Error::Name { file: file.to_owned(), kind, name: name.to_owned(), rule };

    let mut variables = BTreeMap::new();
    for (name, variable) in raw.variables {
        if !is_snake_case(&name) {
            return Err(named("variable", &name, SNAKE_CASE));
        }
        if variable.required == variable.default.is_some() {
            return Err(Error::Variable { file: file.to_owned(), name });
        }
        variables.insert(name, Variable { default: variable.default, secret: variable.secret });
    }

    let mut components = BTreeMap::new();
    for (id, component) in raw.component {
        if !is_kebab_case(&id) {
            return Err(named("component id", &id, KEBAB_CASE));
        }
        if let Some(name) = component.variables.keys().find(|name| !is_snake_case(name)) {
            return Err(named("component variable", name, SNAKE_CASE));
        }
        components.insert(id, component.into());
    }

    let triggers =
        raw.trigger.http.into_iter().map(|trigger| trigger.check(file, &components)).collect::<Result<_, _>>()?;
    let RawApplication { name, version, description, .. } = raw.application;
    Ok(Manifest { application: Application { name, version, description }, variables, triggers, components })
}

impl From<RawComponent> for Component {
    fn from(raw: RawComponent) -> Self {
        Self {
            source: raw.source,
            key_value_stores: raw.key_value_stores.into_iter().collect::<BTreeSet<_>>(),
            allowed_outbound_hosts: raw.allowed_outbound_hosts,
            variables: raw.variables,
            environment: raw.environment,
        }
    }
}

impl RawTrigger {
    fn check(self, file: &str, components: &BTreeMap<String, Component>) -> Result<Trigger, Error> {
        let file = file.to_owned();
        let (route, shown) = match self.route {
            RawRoute::Pattern(pattern) => (Route::Public(pattern.clone()), format!("{pattern:?}")),
            RawRoute::Endpoint(RawEndpoint { private: true }) => (Route::Private, "a private route".to_owned()),
            RawRoute::Endpoint(RawEndpoint { private: false }) => return Err(Error::NotPrivate { file }),
        };
        let target = match (self.component, self.static_response) {
            (Some(component), None) if components.contains_key(&component) => Target::Component(component),
            (Some(component), None) => return Err(Error::UnknownComponent { file, route: shown, component }),
            (None, Some(response)) => {
                Target::Static(response.check().map_err(|part| Error::StaticResponse { file, route: shown, part })?)
            }
            (Some(_), Some(_)) | (None, None) => return Err(Error::Target { file, route: shown }),
        };
        Ok(Trigger { route, target })
    }
}

impl RawStaticResponse {
    /// The part that is invalid, as an error.
    fn check(self) -> Result<StaticResponse, String> {
        let code = self.status_code.unwrap_or(StatusCode::OK.as_u16());
        let status_code = StatusCode::from_u16(code).map_err(|_| format!("status_code {code}"))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (Ok(header), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
                return Err(format!("header {name:?}"));
            };
            headers.append(header, value);
        }
        Ok(StaticResponse { status_code, headers, body: self.body })
    }
}
