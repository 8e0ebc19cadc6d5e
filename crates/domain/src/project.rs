//! A project: its settings, targets, baselines and tokens, as the fold of its journal.

use crate::baseline::{Baseline, BaselineChoice, BaselinePattern, BaselineSource, ChosenBaseline, built_in};
use crate::event::{Entry, Mark};
use crate::ids::{EventId, ProjectId, TargetId, TargetName, TokenId, VariantName};
use crate::journal::{Fold, Refusal};
use crate::limits::TARGETS_MAX;
use crate::serde_skip::is_default;
use crate::settings::Settings;
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
}

impl Fold for Project {
    type Event = InProject<ProjectEvent>;
    const ORDERED: bool = true;

    fn apply(&mut self, _n: u64, entry: &Entry<Self::Event>) -> Result<(), Refusal> {
        if self.last_event == Some(entry.id) {
            return Ok(());
        }
        let project = &entry.event.project;
        match &entry.event.event {
            ProjectEvent::SettingsSet { settings, only, create } => {
                if *create && self.created.is_some() {
                    return Err(Refusal::new(format!("project `{project}` exists")));
                }
                self.settings = match only {
                    None => settings.clone(),
                    Some(_) if self.created.is_none() => {
                        return Err(Refusal::new(format!("project `{project}` does not exist")));
                    }
                    Some(only) => {
                        self.settings.with(settings, only).map_err(|error| Refusal::new(error.to_string()))?
                    }
                };
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
                    };
                    self.targets.insert(name.clone(), target);
                }
            },
            ProjectEvent::BaselineSet { name, variant, regex, none } => match self.targets.get_mut(name) {
                Some(target) => {
                    target.baseline = match (variant, regex, none) {
                        (Some(variant), _, _) => Some(BaselineChoice::Of(Baseline::Variant(variant.clone()))),
                        (None, Some(regex), _) => Some(BaselineChoice::Of(Baseline::Regex(regex.clone()))),
                        (None, None, true) => Some(BaselineChoice::None),
                        (None, None, false) => None,
                    };
                }
                None => return Err(Refusal::new(format!("target `{name}` does not exist"))),
            },
            ProjectEvent::TokenIssued { token } => self.tokens.issue(token, entry.mark())?,
            ProjectEvent::TokenRevoked { token } => self.tokens.revoke(*token)?,
        }
        self.last_event = Some(entry.id);
        Ok(())
    }
}

impl ProjectEvent {
    /// Makes the event that sets all settings of a project, and creates it if it does not exist.
    pub fn settings_set(settings: Settings) -> Self {
        Self::SettingsSet { settings, only: None, create: false }
    }

    /// Makes the event that sets a target's baseline, or, without a choice, leaves it to the default.
    pub fn baseline_set(name: TargetName, choice: Option<BaselineChoice>) -> Self {
        let (variant, regex, none) = match choice {
            Some(BaselineChoice::Of(Baseline::Variant(variant))) => (Some(variant), None, false),
            Some(BaselineChoice::Of(Baseline::Regex(regex))) => (None, Some(regex), false),
            Some(BaselineChoice::None) => (None, None, true),
            None => (None, None, false),
        };
        Self::BaselineSet { name, variant, regex, none }
    }
}

impl Project {
    /// Returns the baseline that applies to a target: its own, else the project's default for its type, else the
    /// built-in one. `target_type` is used if the target does not exist.
    pub fn baseline(&self, name: &TargetName, target_type: TargetType) -> ChosenBaseline {
        let target = self.targets.get(name);
        let target_type = target.map_or(target_type, |target| target.target_type);
        let own = target.and_then(|target| target.baseline.as_ref()).map(|choice| (choice, BaselineSource::Target));
        let default =
            || self.settings.default_baselines.get(&target_type).map(|choice| (choice, BaselineSource::Project));
        match own.or_else(default) {
            Some((BaselineChoice::Of(baseline), origin)) => ChosenBaseline { baseline: Some(baseline.clone()), origin },
            Some((BaselineChoice::None, origin)) => ChosenBaseline { baseline: None, origin },
            None => ChosenBaseline { baseline: built_in(target_type), origin: BaselineSource::BuiltIn },
        }
    }
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

/// Makes the refusal for a target that exists with another type.
pub fn type_mismatch(name: &TargetName, is: TargetType, requested: TargetType) -> Refusal {
    Refusal::new(format!("target `{name}` is a {is}, not a {requested}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{MissingBaseline, UpdatedOccurrences};
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
    fn tokens_are_issued_revoked_and_forgotten_at_their_end() {
        let issue = |expires| ProjectEvent::TokenIssued { token: token("gh_x", expires) };
        let revoke = ProjectEvent::TokenRevoked { token: TokenId::of("gh_x") };
        let (project, results) = fold(&[issue(None), revoke.clone(), revoke]);
        assert!(project.tokens == Tokens::default() && results[1].is_ok() && results[2].is_err());
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
        "#);
    }
}
