//! A project: its settings, targets, baselines and tokens, as the fold of its journal.

use crate::accept_request::AcceptRequest;
use crate::baseline::{Baseline, BaselineChoice, BaselinePattern, BaselineSource, ChosenBaseline, built_in};
use crate::baseline_request::{BaselineRequest, BaselinesNow};
use crate::change_decision::ChangeDecision;
use crate::event::{Entry, Mark};
use crate::exemption::Stamp;
use crate::ids::{EventId, ProjectId, ScanId, TargetId, TargetName, TokenId, VariantName};
use crate::journal::{Fold, Refusal};
use crate::limits::{ACCEPT_REQUESTS_MAX, TARGETS_MAX};
use crate::revoked::RevokedTokens;
use crate::serde_skip::is_default;
use crate::settings::Settings;
use crate::settings_request::{GateSettings, SettingsRequest};
use crate::target::TargetType;
use crate::token::{IssuedToken, Tokens};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An event of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum ProjectEvent {
    /// Its settings were set; the first such event creates the project.
    SettingsSet {
        /// All settings; they replace the previous ones.
        settings: Settings,
        /// The version that the change was made on; without it, the change is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
        /// The names of the settings that are set, if not all are: the others stay as they are.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        only: Option<BTreeSet<String>>,
        /// True if the event creates the project, which must not exist.
        #[serde(skip_serializing_if = "is_default", default)]
        create: bool,
    },
    /// A target was created, usually by its first upload.
    TargetCreated {
        /// Its name.
        name: TargetName,
        /// Its type.
        target_type: TargetType,
    },
    /// A target's baseline was set or removed. At most one of the three fields is set. If none is, the
    /// target uses the default of its type.
    BaselineSet {
        /// The target's name.
        name: TargetName,
        /// The variant to compare with.
        variant: Option<VariantName>,
        /// The pattern; its most recently scanned match is compared with.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        regex: Option<BaselinePattern>,
        /// True if the target has no baseline, whatever the default is.
        #[serde(skip_serializing_if = "is_default", default)]
        none: bool,
        /// The version that the change was made on; without it, the change is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
    },
    /// A change of a target's baseline was requested.
    BaselineRequested {
        /// The target's name.
        name: TargetName,
        /// The requested baseline; absent for the default.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        requested: Option<BaselineChoice>,
        /// The requester's reason.
        comment: String,
    },
    /// A request to change a target's baseline was decided.
    BaselineDecided {
        /// The target's name.
        name: TargetName,
        /// The event of the request.
        request: EventId,
        /// The decision.
        decision: ChangeDecision,
        /// The reason, if one was given.
        comment: String,
        /// The version of the baseline that the decision was made on; without it, it is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
    },
    /// A change of the settings that decide about the gate was requested.
    SettingsRequested {
        /// The requested settings; the others stay as they are.
        settings: GateSettings,
        /// The requester's reason.
        comment: String,
        /// The version of the settings that the request was made on; without it, the request is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
    },
    /// A request to change these settings was decided.
    SettingsDecided {
        /// The event of the request.
        request: EventId,
        /// The decision.
        decision: ChangeDecision,
        /// The reason, if one was given.
        comment: String,
        /// The version of the settings that the decision was made on; without it, it is for any version.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        version: Option<u64>,
    },
    /// A reviewer accepted a scan as the reference of the next scans of its variant, or the parts that it lacks as no
    /// longer scanned. A pending request for it is approved.
    ScanAccepted {
        /// The target's name.
        name: TargetName,
        /// The scan's variant.
        variant: VariantName,
        /// The scan.
        scan: ScanId,
        /// The reviewer's reason.
        comment: String,
        /// The parts that are no longer scanned; none if the scan is a reference.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        missing: Vec<String>,
    },
    /// It was requested that a scan is accepted.
    ScanAcceptRequested {
        /// The target's name.
        name: TargetName,
        /// The scan's variant.
        variant: VariantName,
        /// The scan.
        scan: ScanId,
        /// The requester's reason.
        comment: String,
    },
    /// A request to accept a scan was rejected or withdrawn. An approval is [`ScanAccepted`](Self::ScanAccepted).
    ScanAcceptDecided {
        /// The target's name.
        name: TargetName,
        /// The scan.
        scan: ScanId,
        /// The decision.
        decision: ChangeDecision,
        /// The reason, if one was given.
        comment: String,
    },
    /// A token was issued.
    TokenIssued {
        /// The token.
        token: IssuedToken,
    },
    /// A token was revoked.
    TokenRevoked {
        /// Its id.
        token: TokenId,
    },
}

/// A target as its project stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// Its type, which never changes.
    pub target_type: TargetType,
    /// Its own choice of a baseline; absent if the default of its type applies.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline: Option<BaselineChoice>,
    /// The actor and time of its creation.
    pub created: Mark,
    /// A pending request to change its baseline.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline_request: Option<Box<BaselineRequest>>,
    /// The event that last set its own baseline; absent if none did since versions are recorded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub baseline_set: Option<Stamp>,
}

/// The state of a project.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Project {
    /// The actor and time of its creation; absent if the project does not exist.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<Mark>,
    /// Its settings.
    #[serde(default)]
    pub settings: Settings,
    /// Its targets by name.
    #[serde(default)]
    pub targets: BTreeMap<TargetName, Target>,
    /// Its tokens.
    #[serde(default)]
    pub tokens: Tokens,
    /// The last event that changed the project. A retry may append an event twice; this detects it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_event: Option<EventId>,
    /// The event that last set the settings; absent if none did since versions are recorded.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settings_set: Option<Stamp>,
    /// The tokens that were revoked last.
    #[serde(skip_serializing_if = "RevokedTokens::is_empty", default)]
    pub revoked: RevokedTokens,
    /// A pending request to change settings.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub settings_request: Option<Box<SettingsRequest>>,
    /// The pending requests to accept scans, by scan, at most [`ACCEPT_REQUESTS_MAX`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub accept_requests: BTreeMap<ScanId, AcceptRequest>,
}

impl Fold for Project {
    type Event = InProject<ProjectEvent>;
    const ORDERED: bool = true;

    fn apply(&mut self, n: u64, entry: &Entry<Self::Event>) -> Result<(), Refusal> {
        if self.last_event == Some(entry.id) {
            return Ok(());
        }
        let stamp = Stamp { n, at: entry.at, by: entry.by.subject.clone() };
        let project = &entry.event.project;
        match &entry.event.event {
            ProjectEvent::SettingsSet { settings, version, only, create } => {
                if *create && self.created.is_some() {
                    return Err(Refusal::new(format!("project `{project}` exists")));
                }
                if version.is_some() && self.created.is_none() {
                    return Err(Refusal::stale(format!("project `{project}` does not exist, so it has no version")));
                }
                check_version("the settings were", *version, self.settings_set.as_ref())?;
                self.settings = match only {
                    None => settings.clone(),
                    Some(_) if self.created.is_none() => {
                        return Err(Refusal::new(format!("project `{project}` does not exist")));
                    }
                    Some(only) => {
                        self.settings.with(settings, only).map_err(|error| Refusal::new(error.to_string()))?
                    }
                };
                self.settings_set = Some(stamp);
                self.created.get_or_insert_with(|| entry.mark());
            }
            ProjectEvent::TargetCreated { name, target_type } => match self.targets.get(name) {
                Some(target) if target.target_type == *target_type => {}
                Some(target) => return Err(type_mismatch(name, target.target_type, *target_type)),
                None if self.targets.len() >= TARGETS_MAX => {
                    return Err(Refusal::new(format!("the project has {TARGETS_MAX} targets, the maximum")));
                }
                None => {
                    let target = Target {
                        id: TargetId::of(project, name),
                        target_type: *target_type,
                        baseline: None,
                        created: entry.mark(),
                        baseline_request: None,
                        baseline_set: None,
                    };
                    self.targets.insert(name.clone(), target);
                }
            },
            ProjectEvent::BaselineSet { name, variant, regex, none, version } => match self.targets.get_mut(name) {
                Some(target) => {
                    check_version(&baseline_was(name), *version, target.baseline_set.as_ref())?;
                    target.baseline_set = Some(stamp);
                    target.baseline = match (variant, regex, none) {
                        (Some(variant), _, _) => Some(BaselineChoice::Of(Baseline::Variant(variant.clone()))),
                        (None, Some(regex), _) => Some(BaselineChoice::Of(Baseline::Regex(regex.clone()))),
                        (None, None, true) => Some(BaselineChoice::None),
                        (None, None, false) => None,
                    };
                }
                None => return Err(no_target(name)),
            },
            ProjectEvent::BaselineRequested { name, requested, comment } => {
                let target = self.targets.get(name).ok_or_else(|| no_target(name))?;
                let now = self.baselines(target);
                let pending = target.baseline_request.as_ref();
                if let Some(held) = pending.filter(|held| held.is_current(&now)) {
                    let by = &held.made.by.subject;
                    return Err(Refusal::new(format!("target `{name}` has a pending request by `{by}` already")));
                }
                let made = BaselineRequest::new(now, requested.clone(), comment.clone(), entry.mark());
                let target = self.targets.get_mut(name).ok_or_else(|| no_target(name))?;
                target.baseline_request = Some(Box::new(made));
            }
            ProjectEvent::BaselineDecided { name, request, decision, version, .. } => {
                let target = self.targets.get(name).ok_or_else(|| no_target(name))?;
                let held = target.baseline_request.as_ref().filter(|held| held.made.event == *request);
                let held = held.ok_or_else(|| {
                    Refusal::new(format!("target `{name}` has no such pending request; somebody has decided it"))
                })?;
                check_version(&baseline_was(name), *version, target.baseline_set.as_ref())?;
                held.check(*decision, &entry.by.subject, &self.baselines(target))?;
                let target = self.targets.get_mut(name).ok_or_else(|| no_target(name))?;
                let decided = target.baseline_request.take();
                if let Some(held) = decided.filter(|_| *decision == ChangeDecision::Approve) {
                    target.baseline = held.requested;
                    target.baseline_set = Some(stamp);
                }
            }
            ProjectEvent::SettingsRequested { settings, comment, version } => {
                if self.created.is_none() {
                    return Err(Refusal::new(format!("project `{project}` does not exist")));
                }
                check_version("the settings were", *version, self.settings_set.as_ref())?;
                let pending = self.settings_request.as_deref();
                let made = entry.mark();
                let request = SettingsRequest::new(pending, &self.settings, settings.clone(), comment.clone(), made)?;
                self.settings_request = Some(Box::new(request));
            }
            ProjectEvent::SettingsDecided { request, decision, version, .. } => {
                let held = self.settings_request.as_ref().filter(|held| held.made.event == *request);
                let held = held.ok_or_else(|| {
                    Refusal::new("the project has no such pending request for its settings; somebody has decided it")
                })?;
                check_version("the settings were", *version, self.settings_set.as_ref())?;
                held.check(*decision, &entry.by.subject, &self.settings)?;
                if *decision == ChangeDecision::Approve {
                    self.settings = held.requested.applied_to(&self.settings);
                    self.settings_set = Some(stamp);
                }
                self.settings_request = None;
            }
            // A register of the scan's series has the decision.
            ProjectEvent::ScanAccepted { scan, .. } => {
                if let Some(held) = self.accept_requests.get(scan) {
                    held.check(ChangeDecision::Approve, &entry.by.subject)?;
                    self.accept_requests.remove(scan);
                }
            }
            ProjectEvent::ScanAcceptRequested { name, variant, scan, comment } => {
                if !self.targets.contains_key(name) {
                    return Err(no_target(name));
                }
                if let Some(held) = self.accept_requests.get(scan) {
                    let by = &held.made.by.subject;
                    return Err(Refusal::new(format!("scan {scan} has a pending request by `{by}` already")));
                }
                if self.accept_requests.len() >= ACCEPT_REQUESTS_MAX {
                    return Err(Refusal::new(format!(
                        "the project has {ACCEPT_REQUESTS_MAX} pending requests to accept scans, the maximum; approve, \
                         reject or withdraw some first"
                    )));
                }
                let (target, variant, reason) = (name.clone(), variant.clone(), comment.clone());
                let request = AcceptRequest { target, variant, reason, made: entry.mark() };
                self.accept_requests.insert(*scan, request);
            }
            ProjectEvent::ScanAcceptDecided { scan, decision, .. } => {
                let held = self.accept_requests.get(scan).ok_or_else(|| {
                    Refusal::new(format!("scan {scan} has no pending request to accept it; somebody has decided it"))
                })?;
                held.check(*decision, &entry.by.subject)?;
                self.accept_requests.remove(scan);
            }
            ProjectEvent::TokenIssued { token } => self.tokens.issue(token, entry.mark())?,
            ProjectEvent::TokenRevoked { token } => self.tokens.revoke(*token, stamp, &mut self.revoked)?,
        }
        self.last_event = Some(entry.id);
        Ok(())
    }
}

impl ProjectEvent {
    /// Makes the event that sets all settings of a project, and creates it if it does not exist.
    pub fn settings_set(settings: Settings) -> Self {
        Self::SettingsSet { settings, version: None, only: None, create: false }
    }

    /// Makes the event that sets a target's baseline, or, without a choice, leaves it to the default.
    pub fn baseline_set(name: TargetName, choice: Option<BaselineChoice>) -> Self {
        let (variant, regex, none) = match choice {
            Some(BaselineChoice::Of(Baseline::Variant(variant))) => (Some(variant), None, false),
            Some(BaselineChoice::Of(Baseline::Regex(regex))) => (None, Some(regex), false),
            Some(BaselineChoice::None) => (None, None, true),
            None => (None, None, false),
        };
        Self::BaselineSet { name, variant, regex, none, version: None }
    }

    /// Lets the event take effect only on this version of the settings or of the baseline. Other events have none.
    pub fn on_version(mut self, wanted: Option<u64>) -> Self {
        if let Self::SettingsSet { version, .. }
        | Self::BaselineSet { version, .. }
        | Self::BaselineDecided { version, .. }
        | Self::SettingsRequested { version, .. }
        | Self::SettingsDecided { version, .. } = &mut self
        {
            *version = wanted;
        }
        self
    }
}

impl Project {
    /// Returns the number of targets that a token created.
    pub fn targets_of(&self, token: TokenId) -> usize {
        self.targets.values().filter(|target| target.created.by.token == Some(token)).count()
    }

    /// Returns the baseline that applies to a target: its own, else the project's default for its type, else the
    /// built-in one. `target_type` is used if the target does not exist.
    pub fn baseline(&self, name: &TargetName, target_type: TargetType) -> ChosenBaseline {
        let target = self.targets.get(name);
        let target_type = target.map_or(target_type, |target| target.target_type);
        self.baseline_with(target.and_then(|target| target.baseline.as_ref()), target_type)
    }

    /// Returns the baselines that decide what a request to change that of a target means.
    pub fn baselines<'a>(&self, target: &'a Target) -> BaselinesNow<'a> {
        BaselinesNow { own: target.baseline.as_ref(), default: self.baseline_with(None, target.target_type) }
    }

    /// Returns the baseline that applies to a target of this type if this is its own.
    pub fn baseline_with(&self, own: Option<&BaselineChoice>, target_type: TargetType) -> ChosenBaseline {
        let own = own.map(|choice| (choice, BaselineSource::Target));
        let default =
            || self.settings.default_baselines.get(&target_type).map(|choice| (choice, BaselineSource::Project));
        match own.or_else(default) {
            Some((BaselineChoice::Of(baseline), origin)) => ChosenBaseline { baseline: Some(baseline.clone()), origin },
            Some((BaselineChoice::None, origin)) => ChosenBaseline { baseline: None, origin },
            None => ChosenBaseline { baseline: built_in(target_type), origin: BaselineSource::BuiltIn },
        }
    }
}

/// Returns the version of settings or a baseline: the number of the event that last set them, or 0.
pub fn version_of(set: Option<&Stamp>) -> u64 {
    set.map_or(0, |stamp| stamp.n)
}

/// The subject of a refused change of a target's baseline.
fn baseline_was(name: &TargetName) -> String {
    format!("the baseline of target `{name}` was")
}

/// Checks that a change of `what` was made on the present version.
fn check_version(what: &str, version: Option<u64>, set: Option<&Stamp>) -> Result<(), Refusal> {
    let Some(version) = version.filter(|version| *version != version_of(set)) else { return Ok(()) };
    let changed = match set {
        Some(Stamp { at, by, .. }) => format!("{what} changed by `{by}` at {at}, after you read version {version}"),
        None => format!("{what} never at version {version}"),
    };
    Err(Refusal::stale(format!("{changed}. Nothing was changed; reload and change it again")))
}

/// An event with its project, from which ids are derived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InProject<E> {
    /// The project.
    pub project: ProjectId,
    /// The event.
    #[serde(flatten)]
    pub event: E,
}

fn no_target(name: &TargetName) -> Refusal {
    Refusal::new(format!("target `{name}` does not exist"))
}

/// Makes the refusal for a target that exists with another type.
pub fn type_mismatch(name: &TargetName, is: TargetType, requested: TargetType) -> Refusal {
    Refusal::new(format!("target `{name}` is a {is}, not a {requested}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::LeastCriteria;
    use crate::settings::{MissingBaseline, ToolSuppressions, UpdatedOccurrences};
    use crate::testing::{entry, token};
    use finding::severity::Severity;

    fn named(event: ProjectEvent) -> InProject<ProjectEvent> {
        InProject { project: "shop".parse().unwrap(), event }
    }

    fn fold(events: &[ProjectEvent]) -> (Project, Vec<Result<(), String>>) {
        let mut project = Project::default();
        let mut results = vec![];
        for (n, event) in (1..).zip(events) {
            let result = project.apply(n, &entry(n, "ann", 1000, named(event.clone())));
            results.push(result.map_err(|refusal| refusal.reason));
        }
        (project, results)
    }

    fn target(target_type: TargetType) -> ProjectEvent {
        ProjectEvent::TargetCreated { name: "dvpwa".parse().unwrap(), target_type }
    }

    fn baseline(name: &str, variant: Option<&str>) -> ProjectEvent {
        let choice = variant.map(|variant| BaselineChoice::Of(Baseline::Variant(variant.parse().unwrap())));
        ProjectEvent::baseline_set(name.parse().unwrap(), choice)
    }

    fn regex(pattern: &str) -> Baseline {
        Baseline::Regex(pattern.parse().unwrap())
    }

    #[test]
    fn a_project_is_created_once_and_its_named_settings_change_alone() {
        let set = |settings, only: Option<&[&str]>, create| ProjectEvent::SettingsSet {
            version: None,
            settings,
            only: only.map(|only| only.iter().map(|name| (*name).to_owned()).collect()),
            create,
        };
        let own = Settings { self_approval: true, rejected_allowed: 3, ..Settings::default() };
        let change = Settings { rejected_allowed: 5, ..Settings::default() };
        let (_, results) = fold(&[set(change.clone(), Some(&["rejected_allowed"]), false)]);
        assert_eq!(results, [Err("project `shop` does not exist".to_owned())]);
        let (project, results) = fold(&[
            set(own.clone(), None, true),
            set(Settings::default(), None, true),
            set(change, Some(&["rejected_allowed"]), false),
        ]);
        assert_eq!(results, [Ok(()), Err("project `shop` exists".to_owned()), Ok(())]);
        assert_eq!(project.settings, Settings { rejected_allowed: 5, ..own });
        let old = r#"{"type":"settings_set","settings":{"rejected_allowed":3}}"#;
        let stored = Settings { rejected_allowed: 3, ..Settings::default() };
        assert_eq!(serde_json::from_str::<ProjectEvent>(old).unwrap(), ProjectEvent::settings_set(stored.clone()));
        assert_eq!(serde_json::to_string(&ProjectEvent::settings_set(stored)).unwrap(), old);
    }

    #[test]
    fn a_target_that_is_created_twice_exists_once() {
        let (project, results) = fold(&[target(TargetType::Repository), target(TargetType::Repository)]);
        assert_eq!(results, [Ok(()), Ok(())]);
        assert_eq!(project.targets.len(), 1);
    }

    #[test]
    fn a_target_keeps_its_type() {
        let (project, results) = fold(&[target(TargetType::Repository), target(TargetType::Container)]);
        assert_eq!(results[1], Err("target `dvpwa` is a repository, not a container".to_owned()));
        assert_eq!(project.targets.values().next().unwrap().target_type, TargetType::Repository);
    }

    #[test]
    fn a_baseline_needs_its_target_and_can_be_removed() {
        let (_, results) = fold(&[baseline("dvpwa", Some("master"))]);
        assert_eq!(results, [Err("target `dvpwa` does not exist".to_owned())]);
        let (project, _) = fold(&[target(TargetType::Repository), baseline("dvpwa", Some("master"))]);
        let master = Baseline::Variant("master".parse().unwrap());
        assert_eq!(project.targets.values().next().unwrap().baseline, Some(BaselineChoice::Of(master)));
        let (project, _) =
            fold(&[target(TargetType::Repository), baseline("dvpwa", Some("master")), baseline("dvpwa", None)]);
        assert_eq!(project.targets.values().next().unwrap().baseline, None);
    }

    #[test]
    fn a_baseline_is_changed_by_a_request_and_another_person() {
        let of = |variant: &str| BaselineChoice::Of(Baseline::Variant(variant.parse().unwrap()));
        let name = || "dvpwa".parse().unwrap();
        let mut project = Project::default();
        let mut n = 0;
        let mut apply = |by: &str, event: ProjectEvent| {
            n += 1;
            let entry = entry(n, by, 1000, named(event));
            project.apply(n, &entry).map_err(|refusal| refusal.reason)?;
            Ok::<_, String>((entry.id, project.targets.values().next().unwrap().clone()))
        };
        let requested = |to| ProjectEvent::BaselineRequested { name: name(), requested: to, comment: "why".to_owned() };
        let decided = |request, decision| ProjectEvent::BaselineDecided {
            name: name(),
            request,
            decision,
            comment: String::new(),
            version: None,
        };
        let [approve, reject, withdraw] = ChangeDecision::ALL;
        assert!(apply("dev", requested(None)).is_err(), "the target does not exist");
        apply("dev", target(TargetType::Repository)).unwrap();
        apply("sec", baseline("dvpwa", Some("main"))).unwrap();
        let (request, held) = apply("dev", requested(Some(of("feature")))).unwrap();
        assert_eq!(held.baseline, Some(of("main")), "a request changes nothing");
        assert!(apply("dan", requested(None)).unwrap_err().contains("has a pending request by `dev`"));
        assert!(apply("Dev ", decided(request, approve)).unwrap_err().contains("requested the change"));
        assert!(apply("sec", decided(request, withdraw)).unwrap_err().contains("only the requester"));
        let own = apply("dev", decided(request, reject)).unwrap_err();
        assert!(own.contains("cannot reject it; withdraw the request instead"), "{own}");
        // Changed since the reviewer read it, and back: the third event set it.
        let other = decided(request, approve).on_version(Some(2));
        assert!(apply("sec", other).unwrap_err().contains("was changed by `sec`"));
        let (_, held) = apply("sec", decided(request, approve)).unwrap();
        assert_eq!((held.baseline, held.baseline_request), (Some(of("feature")), None));
        assert!(apply("sam", decided(request, reject)).unwrap_err().contains("somebody has decided it"));
        let (request, _) = apply("dev", requested(None)).unwrap();
        apply("sec", baseline("dvpwa", Some("next"))).unwrap();
        assert!(apply("sec", decided(request, approve)).unwrap_err().contains("has changed since the request"));
        let (_, held) = apply("dev", decided(request, withdraw)).unwrap();
        assert_eq!((held.baseline, held.baseline_request), (Some(of("next")), None));
    }

    #[test]
    fn a_scan_is_accepted_on_request_by_another_person() {
        let (name, scan) = (|| "dvpwa".parse().unwrap(), ScanId::from_bits([1; 16]));
        let variant = || "main".parse().unwrap();
        let mut project = Project::default();
        let mut n = 0;
        let mut apply = |by: &str, event: ProjectEvent| {
            n += 1;
            project.apply(n, &entry(n, by, 1000, named(event))).map_err(|refusal| refusal.reason)?;
            Ok::<_, String>(project.accept_requests.len())
        };
        let requested = |scan| {
            let comment = "why".to_owned();
            ProjectEvent::ScanAcceptRequested { name: name(), variant: variant(), scan, comment }
        };
        let accepted = || {
            let (comment, missing) = ("agreed".to_owned(), vec!["go".to_owned()]);
            ProjectEvent::ScanAccepted { name: name(), variant: variant(), scan, comment, missing }
        };
        let decided = |decision| {
            let comment = String::new();
            ProjectEvent::ScanAcceptDecided { name: name(), scan, decision, comment }
        };
        assert!(apply("dev", requested(scan)).unwrap_err().contains("target `dvpwa` does not exist"));
        apply("dev", target(TargetType::Repository)).unwrap();
        assert_eq!(apply("dev", requested(scan)), Ok(1));
        assert!(apply("dan", requested(scan)).unwrap_err().contains("has a pending request by `dev`"));
        assert!(apply("Dev ", accepted()).unwrap_err().contains("cannot approve it"));
        assert!(apply("sec", decided(ChangeDecision::Withdraw)).unwrap_err().contains("only the requester"));
        assert_eq!(apply("sec", accepted()), Ok(0));
        assert!(apply("sam", decided(ChangeDecision::Reject)).unwrap_err().contains("somebody has decided it"));
        assert_eq!(apply("sec", accepted()), Ok(0), "a reviewer needs no request");
        assert_eq!(apply("dev", requested(scan)), Ok(1));
        assert_eq!(apply("sec", decided(ChangeDecision::Reject)), Ok(0));
        for other in 0..ACCEPT_REQUESTS_MAX {
            apply("dev", requested(ScanId::from_bits([u8::try_from(other).unwrap(); 16]))).unwrap();
        }
        let full = apply("dev", requested(ScanId::from_bits([255; 16]))).unwrap_err();
        assert!(full.contains("100 pending requests to accept scans, the maximum"), "{full}");
        assert_eq!(apply("dev", decided(ChangeDecision::Withdraw)), Ok(ACCEPT_REQUESTS_MAX - 1));
    }

    #[test]
    fn a_request_for_or_from_the_default_is_outdated_when_the_default_changes() {
        let of = |variant: &str| Some(BaselineChoice::Of(Baseline::Variant(variant.parse().unwrap())));
        let defaults = |choice: Option<BaselineChoice>| {
            let default_baselines = choice.into_iter().map(|choice| (TargetType::Repository, choice)).collect();
            // Requesters may approve their own exemptions here; baselines are no exemptions.
            ProjectEvent::settings_set(Settings { default_baselines, self_approval: true, ..Settings::default() })
        };
        let requested = |to| ProjectEvent::BaselineRequested {
            name: "dvpwa".parse().unwrap(),
            requested: to,
            comment: "why".to_owned(),
        };
        let approved = |by: &str, request: EventId| {
            let decision = ChangeDecision::Approve;
            let name = "dvpwa".parse().unwrap();
            (
                by.to_owned(),
                ProjectEvent::BaselineDecided { name, request, decision, comment: String::new(), version: None },
            )
        };
        // The target's own baseline, the requested one, the default then and now, and whether an approval is refused.
        let builtin = Some(BaselineChoice::Of(built_in(TargetType::Repository).unwrap()));
        for (own, to, then, now, outdated) in [
            (of("main"), None, of("trunk"), of("evil"), true),
            (None, of("next"), of("trunk"), of("evil"), true),
            (None, of("next"), None, builtin, true),
            (of("main"), None, of("trunk"), Some(BaselineChoice::None), true),
            (of("main"), None, of("trunk"), of("trunk"), false),
            (of("main"), of("next"), of("trunk"), of("evil"), false),
        ] {
            let case = format!("{own:?} to {to:?}, from {then:?} to {now:?}");
            let mut project = Project::default();
            let made = EventId::derived("test", &[&4_u64.to_be_bytes()]);
            let own = ProjectEvent::baseline_set("dvpwa".parse().unwrap(), own);
            let by = |by: &str, event| (by.to_owned(), event);
            let events = [
                by("adm", defaults(then)),
                by("dev", target(TargetType::Repository)),
                by("sec", own),
                by("dev", requested(to.clone())),
                by("adm", defaults(now)),
            ];
            for (n, (by, event)) in (1..).zip(events) {
                project.apply(n, &entry(n, &by, 1000, named(event))).unwrap();
            }
            let old: Project = {
                let mut stored = serde_json::to_value(&project).unwrap();
                stored["targets"]["dvpwa"]["baseline_request"].as_object_mut().unwrap().remove("default");
                serde_json::from_value(stored).unwrap()
            };
            let decide = |mut project: Project, by| {
                let (by, event) = approved(by, made);
                project.apply(6, &entry(6, &by, 1000, named(event))).map_err(|refusal| refusal.reason)
            };
            let decided = decide(project.clone(), "sec");
            assert_eq!(decided.is_err(), outdated, "{case}: {decided:?}");
            assert!(decided.is_ok() || decided.unwrap_err().contains("its default has changed since the request"));
            assert_eq!(decide(old, "sec"), Ok(()), "a request of an earlier version, {case}");
            assert!(decide(project.clone(), "DEV").unwrap_err().contains("cannot approve it"), "{case}");
            let replaced = project.apply(6, &entry(6, "eve", 1000, named(requested(to))));
            assert_eq!(replaced.is_ok(), outdated, "an outdated request makes room, {case}");
        }
    }

    #[test]
    fn a_targets_baseline_precedes_the_projects_default_and_that_the_built_in_one() {
        let defaults = |choices: &[(TargetType, BaselineChoice)]| {
            ProjectEvent::settings_set(Settings {
                default_baselines: choices.iter().cloned().collect(),
                ..Settings::default()
            })
        };
        let own = |choice| ProjectEvent::baseline_set("dvpwa".parse().unwrap(), choice);
        let trunk = BaselineChoice::Of(Baseline::Variant("trunk".parse().unwrap()));
        let [repository, container] = [TargetType::Repository, TargetType::Container];
        let releases = BaselineChoice::Of(regex("v.*"));
        let of = |events: &[ProjectEvent]| {
            let (project, _) = fold(events);
            let ChosenBaseline { baseline, origin } = project.baseline(&"dvpwa".parse().unwrap(), repository);
            (baseline, origin)
        };
        let made = target(repository);
        assert_eq!(of(&[]), (built_in(repository), BaselineSource::BuiltIn), "a target before its first scan");
        assert_eq!(of(std::slice::from_ref(&made)), (built_in(repository), BaselineSource::BuiltIn));
        let project = defaults(&[(repository, trunk.clone()), (container, BaselineChoice::None)]);
        assert_eq!(
            of(&[made.clone(), project.clone()]),
            (Some(Baseline::Variant("trunk".parse().unwrap())), BaselineSource::Project)
        );
        assert_eq!(of(&[made.clone(), defaults(&[(container, trunk)])]).1, BaselineSource::BuiltIn, "of another type");
        assert_eq!(
            of(&[made.clone(), defaults(&[(repository, BaselineChoice::None)])]),
            (None, BaselineSource::Project)
        );
        let mut events = vec![made, project, own(Some(releases))];
        assert_eq!(of(&events), (Some(regex("v.*")), BaselineSource::Target));
        events.push(own(Some(BaselineChoice::None)));
        assert_eq!(of(&events), (None, BaselineSource::Target));
        events.push(own(None));
        assert_eq!(of(&events).1, BaselineSource::Project, "the default applies again");
    }

    #[test]
    fn a_change_on_an_older_version_changes_nothing_and_says_who_changed_what() {
        let settings = |rejected_allowed, version| ProjectEvent::SettingsSet {
            settings: Settings { rejected_allowed, ..Settings::default() },
            version,
            only: None,
            create: false,
        };
        let (project, results) = fold(&[
            settings(1, None),
            settings(2, Some(1)),
            settings(3, Some(1)),
            target(TargetType::Repository),
            baseline("dvpwa", Some("main")).on_version(Some(0)),
            baseline("dvpwa", Some("evil")).on_version(Some(0)),
            settings(4, Some(2)),
        ]);
        let stale = |at: usize| results[at].clone().unwrap_err();
        assert_eq!(
            stale(2),
            "the settings were changed by `ann` at 1970-01-01T00:00:01.000Z, after you read version 1. Nothing was changed; reload and change it again"
        );
        assert!(stale(5).starts_with("the baseline of target `dvpwa` was changed by `ann` at "), "{results:?}");
        assert!([0, 1, 4, 6].iter().all(|at| results[*at].is_ok()), "another change leaves versions: {results:?}");
        let target = &project.targets[&"dvpwa".parse().unwrap()];
        assert_eq!(target.baseline, Some(BaselineChoice::Of(Baseline::Variant("main".parse().unwrap()))));
        let versions = (version_of(project.settings_set.as_ref()), version_of(target.baseline_set.as_ref()));
        assert_eq!((versions, project.settings.rejected_allowed), ((7, 5), 4));
        assert!(fold(&[settings(1, Some(0))]).1[0].is_err(), "a project that does not exist has no version");
        let stored = r#"{"created":null,"settings":{},"targets":{},"tokens":{}}"#;
        assert_eq!(serde_json::from_str::<Project>(stored).unwrap(), Project::default(), "stored before versions");
    }

    #[test]
    fn tokens_are_issued_revoked_and_forgotten_at_their_end() {
        let issue = |expires| ProjectEvent::TokenIssued { token: token("gh_x", expires) };
        let revoke = ProjectEvent::TokenRevoked { token: TokenId::of("gh_x") };
        let (project, results) = fold(&[issue(None), revoke.clone(), revoke]);
        assert!(project.tokens == Tokens::default() && results[1].is_ok(), "{results:?}");
        let second = "token `ci` was already revoked by `ann` at 1970-01-01T00:00:01.000Z; nothing was changed";
        assert_eq!(results[2], Err(second.to_owned()));
        let other = token("gh_y", None);
        let (project, _) = fold(&[issue(Some(1000)), ProjectEvent::TokenIssued { token: other }]);
        assert_eq!(project.tokens.iter().map(|held| held.token.id).collect::<Vec<_>>(), [TokenId::of("gh_y")]);
    }

    #[test]
    fn targets_are_accepted_up_to_the_limit() {
        let many: Vec<_> = (0..=TARGETS_MAX)
            .map(|n| ProjectEvent::TargetCreated {
                name: format!("t{n}").parse().unwrap(),
                target_type: TargetType::Repository,
            })
            .collect();
        let (project, results) = fold(&many);
        assert_eq!(project.targets.len(), TARGETS_MAX);
        assert!(results[TARGETS_MAX - 1].is_ok() && results[TARGETS_MAX].is_err());
    }

    #[test]
    fn the_stored_events_are_pinned() {
        let events = [
            ProjectEvent::settings_set(Settings { unassigned_as: Some(Severity::High), ..Settings::default() }),
            target(TargetType::Repository),
            ProjectEvent::settings_set(Settings {
                default_baselines: BTreeMap::from([
                    (TargetType::Repository, BaselineChoice::Of(Baseline::Variant("trunk".parse().unwrap()))),
                    (TargetType::Container, BaselineChoice::Of(regex("v.*"))),
                    (TargetType::Instance, BaselineChoice::None),
                ]),
                missing_baseline: MissingBaseline::Undecided,
                rejected_allowed: 2,
                updated_occurrences: UpdatedOccurrences::Common,
                ..Settings::default()
            }),
            baseline("dvpwa", Some("master")),
            baseline("dvpwa", None),
            ProjectEvent::baseline_set("dvpwa".parse().unwrap(), Some(BaselineChoice::Of(regex("v.*")))),
            ProjectEvent::baseline_set("dvpwa".parse().unwrap(), Some(BaselineChoice::None)),
            ProjectEvent::TokenRevoked { token: TokenId::of("gh_x") },
            ProjectEvent::ScanAccepted {
                name: "dvpwa".parse().unwrap(),
                variant: "master".parse().unwrap(),
                scan: ScanId::from_bits([1; 16]),
                comment: "agreed".to_owned(),
                missing: Vec::new(),
            },
            ProjectEvent::ScanAccepted {
                name: "dvpwa".parse().unwrap(),
                variant: "master".parse().unwrap(),
                scan: ScanId::from_bits([1; 16]),
                comment: "agreed".to_owned(),
                missing: vec!["codeql/go".to_owned()],
            },
            ProjectEvent::ScanAcceptRequested {
                name: "dvpwa".parse().unwrap(),
                variant: "master".parse().unwrap(),
                scan: ScanId::from_bits([1; 16]),
                comment: "why".to_owned(),
            },
            ProjectEvent::ScanAcceptDecided {
                name: "dvpwa".parse().unwrap(),
                scan: ScanId::from_bits([1; 16]),
                decision: ChangeDecision::Withdraw,
                comment: String::new(),
            },
            ProjectEvent::BaselineRequested {
                name: "dvpwa".parse().unwrap(),
                requested: Some(BaselineChoice::None),
                comment: "why".to_owned(),
            },
            ProjectEvent::BaselineDecided {
                name: "dvpwa".parse().unwrap(),
                request: EventId::from_bits([2; 16]),
                decision: ChangeDecision::Reject,
                comment: String::new(),
                version: None,
            },
            ProjectEvent::SettingsRequested {
                settings: GateSettings {
                    tool_suppressions: Some(ToolSuppressions::Honoured),
                    criteria: Some(LeastCriteria::default()),
                    target_criteria: Some(BTreeMap::from([("web".parse().unwrap(), LeastCriteria::default())])),
                },
                comment: "why".to_owned(),
                version: Some(3),
            },
            ProjectEvent::SettingsRequested {
                settings: GateSettings::default(),
                comment: String::new(),
                version: None,
            },
            ProjectEvent::SettingsDecided {
                request: EventId::from_bits([2; 16]),
                decision: ChangeDecision::Approve,
                comment: String::new(),
                version: None,
            },
        ];
        let lines: Vec<_> = events.map(|event| serde_json::to_string(&named(event)).unwrap()).into();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"project":"shop","type":"settings_set","settings":{"unassigned_as":"high"}}
        {"project":"shop","type":"target_created","name":"dvpwa","target_type":"repository"}
        {"project":"shop","type":"settings_set","settings":{"default_baselines":{"repository":"trunk","container":{"regex":"v.*"},"instance":{"none":true}},"missing_baseline":"undecided","rejected_allowed":2,"updated_occurrences":"common"}}
        {"project":"shop","type":"baseline_set","name":"dvpwa","variant":"master"}
        {"project":"shop","type":"baseline_set","name":"dvpwa","variant":null}
        {"project":"shop","type":"baseline_set","name":"dvpwa","variant":null,"regex":"v.*"}
        {"project":"shop","type":"baseline_set","name":"dvpwa","variant":null,"none":true}
        {"project":"shop","type":"token_revoked","token":"33c39c07809bea08255e4bd199ad3c73"}
        {"project":"shop","type":"scan_accepted","name":"dvpwa","variant":"master","scan":"01010101010101010101010101010101","comment":"agreed"}
        {"project":"shop","type":"scan_accepted","name":"dvpwa","variant":"master","scan":"01010101010101010101010101010101","comment":"agreed","missing":["codeql/go"]}
        {"project":"shop","type":"scan_accept_requested","name":"dvpwa","variant":"master","scan":"01010101010101010101010101010101","comment":"why"}
        {"project":"shop","type":"scan_accept_decided","name":"dvpwa","scan":"01010101010101010101010101010101","decision":"withdraw","comment":""}
        {"project":"shop","type":"baseline_requested","name":"dvpwa","requested":{"none":true},"comment":"why"}
        {"project":"shop","type":"baseline_decided","name":"dvpwa","request":"02020202020202020202020202020202","decision":"reject","comment":""}
        {"project":"shop","type":"settings_requested","settings":{"tool_suppressions":"honoured","criteria":{},"target_criteria":{"web":{}}},"comment":"why","version":3}
        {"project":"shop","type":"settings_requested","settings":{},"comment":""}
        {"project":"shop","type":"settings_decided","request":"02020202020202020202020202020202","decision":"approve","comment":""}
        "#);
    }
}
