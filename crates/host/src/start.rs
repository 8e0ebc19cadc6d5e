//! From a configuration to an application that can be served: everything that can be wrong is found here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::watch;
use wasmtime::Engine;
use wasmtime_wasi_http::handler::ProxyPre;

use crate::admission::Gate;
use crate::app::App;
use crate::client::Proxies;
use crate::config::{AppSource, Config, default_cache_dir};
use crate::engine;
use crate::error::Error;
use crate::guest::{Component, Guest};
use crate::instance::{Factory, Instances};
use crate::kv::{OpenStores, Stores};
use crate::lifecycle::{Phase, Tracker};
use crate::limits::Limits;
use crate::manifest::{self, Manifest, Route, Target};
use crate::metrics::Metrics;
use crate::outbound::AllowedHosts;
use crate::routes::Router;
use crate::runtime_config::RuntimeConfig;
use crate::variables::{Variables, from_environment};

/// The trackers that a stop of the application waits for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trackers {
    pub(crate) requests: Tracker,
    pub(crate) instances: Tracker,
}

/// A component before it is compiled.
struct Plan {
    id: Arc<str>,
    variables: BTreeMap<String, String>,
    outbound: AllowedHosts,
    declared: manifest::Component,
}

/// Builds the application.
pub(crate) async fn build(
    config: &Config,
    phases: watch::Receiver<Phase>,
    trackers: &Trackers,
) -> Result<Arc<App>, Error> {
    if !config.clock_offset.is_zero() {
        tracing::warn!(ahead = ?config.clock_offset, "the application believes that it is later than it is");
    }
    let manifest = config.app.manifest()?;
    let runtime_config = read_runtime_config(config)?;
    let variables = Variables::resolve(&manifest.variables, &config.variables, from_environment)?;
    let plans = plan(&manifest, &variables)?;
    let router = router(&manifest)?;

    let grants =
        plans.iter().flat_map(|plan| plan.declared.key_value_stores.iter().map(|label| (&*plan.id, label.as_str())));
    let state_dir = runtime_config.state_dir.as_deref().unwrap_or(&config.state_dir);
    let stores = OpenStores { state_dir, runtime_config: &runtime_config, timeout: config.limits.store_timeout }
        .open(grants)
        .await?;

    let sources: Vec<(String, String)> =
        plans.iter().map(|plan| (plan.id.to_string(), plan.declared.source.clone())).collect();
    let cache_dir = config.cache_dir.clone().or_else(default_cache_dir);
    let (app_source, limits) = (config.app.clone(), config.limits.clone());
    let loading = tokio::task::spawn_blocking(move || load(&app_source, &sources, &limits, cache_dir.as_deref())).await;
    let (engine, loaded) = loading.map_err(Error::Task)??;

    let metrics = Arc::new(Metrics::new(plans.iter().map(|plan| &*plan.id)));
    Ok(Arc::new_cyclic(|app| {
        let instances = plans.into_iter().zip(loaded).map(|(plan, pre)| {
            let component = Arc::new(Component {
                stores: grant(&plan, &stores),
                variables: plan.variables,
                environment: plan.declared.environment.into_iter().collect(),
                outbound: plan.outbound,
                memory_bytes_max: config.limits.guest_memory_bytes,
                memory: metrics.memory(&plan.id),
                clock_offset: config.clock_offset,
                app: app.clone(),
                id: Arc::clone(&plan.id),
            });
            let factory = Factory {
                engine: engine.clone(),
                pre,
                component,
                reuse: config.reuse.clone(),
                request_timeout: config.limits.request_timeout,
                phases: phases.clone(),
                instances: trackers.instances.clone(),
            };
            (plan.id.to_string(), Instances::new(factory))
        });
        App {
            application: manifest.application,
            router,
            instances: instances.collect(),
            limits: config.limits.clone(),
            gate: Gate::new(&config.limits, Arc::clone(&metrics), trackers.requests.clone()),
            proxies: Proxies::new(config.trusted_proxies.clone()),
            metrics: Arc::clone(&metrics),
            stores,
            phases: phases.clone(),
        }
    }))
}

fn read_runtime_config(config: &Config) -> Result<RuntimeConfig, Error> {
    let Some(path) = &config.runtime_config else { return Ok(RuntimeConfig::default()) };
    let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.clone(), source })?;
    Ok(RuntimeConfig::parse(&path.display().to_string(), &text)?)
}

/// The components that something can reach; one without a trigger is not loaded.
fn plan(manifest: &Manifest, variables: &Variables) -> Result<Vec<Plan>, Error> {
    let reachable: BTreeSet<&str> = manifest
        .triggers
        .iter()
        .filter_map(|trigger| match &trigger.target {
            Target::Component(id) => Some(id.as_str()),
            Target::Static(_) => None,
        })
        .collect();
    let mut plans = Vec::new();
    for (id, declared) in manifest.components.iter().filter(|(id, _)| reachable.contains(id.as_str())) {
        let expand = |template: &String| {
            variables.expand(template).map_err(|source| Error::Template { component: id.clone(), source })
        };
        let values = declared.variables.iter().map(|(name, template)| Ok((name.clone(), expand(template)?)));
        let hosts: Vec<String> = declared.allowed_outbound_hosts.iter().map(expand).collect::<Result<_, _>>()?;
        plans.push(Plan {
            id: id.as_str().into(),
            variables: values.collect::<Result<_, Error>>()?,
            outbound: AllowedHosts::parse(hosts).map_err(|source| Error::Outbound { component: id.clone(), source })?,
            declared: declared.clone(),
        });
    }
    Ok(plans)
}

fn router(manifest: &Manifest) -> Result<Router<Target>, Error> {
    let public = manifest.triggers.iter().filter_map(|trigger| match &trigger.route {
        Route::Public(pattern) => Some((pattern.clone(), trigger.target.clone())),
        Route::Private => None,
    });
    Ok(Router::new(public)?)
}

fn grant(plan: &Plan, stores: &Stores) -> BTreeMap<String, crate::kv::Store> {
    let granted = plan.declared.key_value_stores.iter();
    granted.filter_map(|label| Some((label.clone(), stores.get(label)?.clone()))).collect()
}

fn load(
    app: &AppSource,
    sources: &[(String, String)],
    limits: &Limits,
    cache_dir: Option<&Path>,
) -> Result<(Engine, Vec<ProxyPre<Guest>>), Error> {
    let read = |(id, source): &(String, String)| Ok((id.clone(), app.read(id, source)?));
    let files: Vec<(String, Vec<u8>)> = sources.iter().map(read).collect::<Result<_, Error>>()?;
    let engine = engine::start(limits, cache_dir)?;
    let loaded = engine::load(&engine, &files)?;
    Ok((engine, loaded))
}
