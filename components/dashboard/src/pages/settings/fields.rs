//! The settings as fields of a form, and back.

use crate::form::Form;
use api::Problem;
use api::problem::Code;
use api::v1::{BaselineBody, SettingsBody};
use domain::target::TargetType;
use finding::severity::Severity;

/// What a setting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Gate,
    Exemptions,
}

impl Group {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Gate => "The gate",
            Self::Exemptions => "Exemptions",
        }
    }
}

/// A setting that is one of some words.
pub(super) struct Choice {
    /// The setting's name in the API.
    pub(super) name: &'static str,
    pub(super) group: Group,
    pub(super) label: &'static str,
    /// What it does, in a sentence.
    pub(super) hint: &'static str,
    /// Its words in the API, and what they mean.
    pub(super) options: &'static [(&'static str, &'static str)],
}

/// The settings that are one of some words.
pub(super) const CHOICES: [Choice; 6] = [
    Choice {
        name: "unassigned_as",
        group: Group::Gate,
        label: "Issues without a level",
        hint: "The level that issues count as to which their scanner gives none. Without one they make a verdict undecided where a threshold is set.",
        options: &[
            ("", "Make the verdict undecided"),
            ("critical", "Count as critical"),
            ("high", "Count as high"),
            ("medium", "Count as medium"),
            ("low", "Count as low"),
            ("info", "Count as info"),
        ],
    },
    Choice {
        name: "tool_suppressions",
        group: Group::Gate,
        label: "Results that the scanner was told to suppress",
        hint: "Whoever can change the code can write such a mark, so it takes nothing off the gate unless it is honoured here.",
        options: &[("ignored", "Count like any other"), ("honoured", "Do not count")],
    },
    Choice {
        name: "missing_baseline",
        group: Group::Gate,
        label: "When the baseline has no complete scan by the scanner",
        hint: "What the thresholds for new issues and new occurrences do then. The threshold for all issues holds whatever this says.",
        options: &[
            ("everything_counts", "Everything counts as new"),
            ("undecided", "The verdict is undecided"),
            ("nothing_is_new", "Nothing is new"),
        ],
    },
    Choice {
        name: "updated_occurrences",
        group: Group::Gate,
        label: "Occurrences whose code was edited",
        hint: "What the threshold for new occurrences takes one for that is recognised although its code was edited.",
        options: &[("new", "Are new: what was edited may have become worse"), ("common", "Are the ones they were")],
    },
    Choice {
        name: "self_approval",
        group: Group::Exemptions,
        label: "Approving one's own",
        hint: "Whether somebody may approve the exemption that they asked for themselves. Such an approval is marked, and the audit log keeps that.",
        options: &[("false", "Is refused: somebody else has to decide"), ("true", "Is allowed")],
    },
    Choice {
        name: "unlimited_exemptions",
        group: Group::Exemptions,
        label: "Exemptions without an end",
        hint: "What never ends is never looked at again. Those that were granted stay when this is changed.",
        options: &[("false", "Are refused"), ("true", "Are allowed")],
    },
];

/// What default baselines are.
pub(super) const BASELINES: &str = "What a target is compared with that has no baseline of its own. A pattern (RE2) is for \
    whole names of variants; of those that match, the one scanned last is the baseline.";
/// What the longest exemption is.
pub(super) const LONGEST: &str = "For how many days an issue of a level may be exempted at most, and then never without an \
    end. Left empty, there is no such limit. It is checked at the request and at the approval.";

/// A type of target, of which there are several.
pub(super) fn kind(kind: TargetType) -> &'static str {
    match kind {
        TargetType::Repository => "Repositories",
        TargetType::Container => "Container images",
        TargetType::Instance => "Instances",
        TargetType::Configuration => "Configurations",
    }
}

/// The field of the longest exemption of issues of this level.
pub(super) fn days_max(level: Severity) -> String {
    format!("exemption_days_max.{level}")
}

/// The fields of a type's default baseline: what it is by, and the variant or pattern.
pub(super) fn baseline_names(kind: TargetType) -> (String, String) {
    (format!("default_baselines.{kind}"), format!("default_baselines.{kind}.value"))
}

/// What a type's default baseline can be by.
pub(super) fn baseline_modes(kind: TargetType) -> [(&'static str, String); 4] {
    let built_in = match kind {
        TargetType::Repository => r"As built in: main|master",
        TargetType::Container => r"As built in: latest|v?\d+\.\d+\.\d+",
        TargetType::Instance | TargetType::Configuration => "As built in: none",
    };
    [
        ("", built_in.to_owned()),
        ("none", "None: each variant with its own previous scan".to_owned()),
        ("variant", "Always this variant".to_owned()),
        ("regex", "The variants that match a pattern".to_owned()),
    ]
}

/// The settings as their form would be sent.
pub(super) fn shown(settings: &SettingsBody) -> Form {
    let mut fields = form_urlencoded::Serializer::new(String::new());
    let text = |setting: &Option<String>, otherwise: &str| setting.clone().unwrap_or_else(|| otherwise.to_owned());
    let number = |setting: Option<u32>, otherwise: u32| setting.unwrap_or(otherwise).to_string();
    let flag = |setting: Option<bool>| setting.unwrap_or_default().to_string();
    fields
        .append_pair("unassigned_as", &text(&settings.unassigned_as, ""))
        .append_pair("tool_suppressions", &text(&settings.tool_suppressions, "ignored"))
        .append_pair("missing_baseline", &text(&settings.missing_baseline, "everything_counts"))
        .append_pair("updated_occurrences", &text(&settings.updated_occurrences, "new"))
        .append_pair("rejected_allowed", &number(settings.rejected_allowed, 0))
        .append_pair("self_approval", &flag(settings.self_approval))
        .append_pair("unlimited_exemptions", &flag(settings.unlimited_exemptions))
        .append_pair("ending_notice_days", &number(settings.ending_notice_days, 7));
    for (level, days) in &settings.exemption_days_max {
        fields.append_pair(&format!("exemption_days_max.{level}"), &days.to_string());
    }
    for kind in TargetType::ALL {
        let Some(baseline) = settings.default_baselines.get(&kind.to_string()) else { continue };
        let baseline = baseline.clone().unwrap_or_else(BaselineBody::none);
        let (mode, value) = match (baseline.variant, baseline.regex) {
            (Some(variant), _) => ("variant", variant),
            (None, Some(regex)) => ("regex", regex),
            (None, None) => ("none", String::new()),
        };
        let (of_mode, of_value) = baseline_names(kind);
        fields.append_pair(&of_mode, mode).append_pair(&of_value, &value);
    }
    Form::parse(fields.finish().as_bytes())
}

/// The settings that a form says; what it does not show is as in `settings`.
///
/// # Errors
/// A field is no number, or contradicts another.
pub(super) fn read(form: &Form, mut settings: SettingsBody) -> Result<SettingsBody, Problem> {
    let text = |name: &str| form.optional(name).map(str::to_owned);
    settings.unassigned_as = text("unassigned_as");
    settings.tool_suppressions = text("tool_suppressions");
    settings.missing_baseline = text("missing_baseline");
    settings.updated_occurrences = text("updated_occurrences");
    settings.rejected_allowed = form.number("rejected_allowed")?;
    settings.self_approval = Some(form.text("self_approval") == "true");
    settings.unlimited_exemptions = Some(form.text("unlimited_exemptions") == "true");
    settings.ending_notice_days = form.number("ending_notice_days")?;
    for level in Severity::ALL {
        match form.number(&days_max(level))? {
            Some(days) => settings.exemption_days_max.insert(level.to_string(), days),
            None => settings.exemption_days_max.remove(level.as_str()),
        };
    }
    for kind in TargetType::ALL {
        match baseline(form, kind)? {
            Some(baseline) => settings.default_baselines.insert(kind.to_string(), baseline),
            None => settings.default_baselines.remove(&kind.to_string()),
        };
    }
    Ok(settings)
}

/// A type's default baseline: nothing for the built-in one, nothing inside for none.
fn baseline(form: &Form, kind: TargetType) -> Result<Option<Option<BaselineBody>>, Problem> {
    let (mode, value) = baseline_names(kind);
    let value = form.text(&value);
    let wrong = |what: &str| {
        let detail = format!("the default baseline of {}: {what}", self::kind(kind).to_lowercase());
        Problem::new(Code::InvalidBody, detail)
    };
    match (form.text(&mode), value) {
        ("variant" | "regex", "") => Err(wrong("say which variant, or by which pattern")),
        ("variant", variant) => Ok(Some(Some(BaselineBody::variant(variant)))),
        ("regex", regex) => Ok(Some(Some(BaselineBody::regex(regex)))),
        ("none", "") => Ok(Some(None)),
        ("", "") => Ok(None),
        (_, _) => Err(wrong("a variant or pattern stands there, but the choice beside it takes none")),
    }
}
