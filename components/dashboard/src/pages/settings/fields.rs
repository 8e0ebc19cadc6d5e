//! The conversion between settings and the fields of the form.

use super::criteria;
use crate::form::Form;
use api::Problem;
use api::problem::Code;
use api::v1::{BaselineBody, SettingsBody};
use domain::target::TargetType;
use finding::severity::Severity;

/// The section of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    Gate,
    Exemptions,
}

impl Group {
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Gate => "Gate",
            Self::Exemptions => "Exemptions",
        }
    }
}

/// A setting with a fixed list of values.
pub(super) struct Choice {
    /// The name in the API.
    pub(super) name: &'static str,
    pub(super) group: Group,
    pub(super) label: &'static str,
    /// The effect, in one or two sentences.
    pub(super) hint: &'static str,
    /// The values in the API, and their labels.
    pub(super) options: &'static [(&'static str, &'static str)],
}

/// The settings with a fixed list of values.
pub(super) static CHOICES: [Choice; 8] = [
    Choice {
        name: "unassigned_as",
        group: Group::Gate,
        label: "Issues without a severity",
        hint: "The severity of issues for which the scanner reports none. If not set, such issues make the verdict undecided when a threshold is set.",
        options: &[
            ("", "Not set: the verdict is undecided"),
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
        label: "Results suppressed by the scanner",
        hint: "Anyone who can change the code can add a suppression comment, so suppressed results count by default.",
        options: &[("ignored", "Count like other results"), ("honoured", "Do not count")],
    },
    Choice {
        name: "missing_baseline",
        group: Group::Gate,
        label: "Baseline without a complete scan by the scanner",
        hint: "The effect on the thresholds for new issues and new occurrences. The threshold for all issues always applies.",
        options: &[
            ("everything_counts", "All issues count as new"),
            ("undecided", "The verdict is undecided"),
            ("nothing_is_new", "No issue counts as new"),
        ],
    },
    Choice {
        name: "updated_occurrences",
        group: Group::Gate,
        label: "Occurrences with edited code",
        hint: "The effect on the threshold for new occurrences, if an occurrence matches one in the baseline but its code was edited.",
        options: &[("new", "Count as new: the edit may have made it worse"), ("common", "Count as common")],
    },
    Choice {
        name: "new_blind_spots",
        group: Group::Gate,
        label: "New blind spots",
        hint: "A blind spot is what the scanner could not examine, for example a file with a syntax error. Blind spots that the reference scan has too have no effect.",
        options: &[
            ("undecided", "The verdict is undecided"),
            ("fail", "The scan fails"),
            ("ignore", "No effect; they are listed"),
        ],
    },
    Choice {
        name: "baseline_changes",
        group: Group::Gate,
        label: "Changes of baselines",
        hint: "Who may change a baseline that is set, and upload a report with accept_missing. Both change what counts as new.",
        options: &[
            ("secops", "The roles secops and admin; a developer may set the first baseline of a target"),
            ("developer", "Developers too: a developer alone can make a failing gate pass"),
        ],
    },
    Choice {
        name: "self_approval",
        group: Group::Exemptions,
        label: "Self-approval",
        hint: "The approval of a request by its requester. Self-approved exemptions are marked, and the audit log records them.",
        options: &[("false", "Not allowed: another person must approve"), ("true", "Allowed")],
    },
    Choice {
        name: "unlimited_exemptions",
        group: Group::Exemptions,
        label: "Exemptions without expiry",
        hint: "An exemption without expiry is never reviewed again. A change does not affect approved exemptions.",
        options: &[("false", "Not allowed"), ("true", "Allowed")],
    },
];

/// The hint on default baselines.
pub(super) const BASELINES: &str = "The baseline of targets without their own. A pattern (RE2) must match the whole \
    name of a variant. The most recently scanned variant that matches is the baseline.";
/// The hint on the maximum duration of exemptions.
pub(super) const DAYS_MAX: &str = "The maximum duration of an exemption of an issue with this severity. With a limit, an \
    exemption without expiry is not allowed. If empty, there is no limit. It is checked at the request and at the approval.";

/// The label of the least criteria.
pub(super) const CRITERIA: &str = "Least criteria";

/// The setting with this name, if it has a fixed list of values.
pub(super) fn choice(name: &str) -> Option<&'static Choice> {
    CHOICES.iter().find(|choice| choice.name == name)
}

impl Choice {
    /// The label of a value; an unknown one is its own.
    pub(super) fn words<'a>(&self, value: &'a str) -> &'a str {
        self.options.iter().find(|(known, _)| *known == value).map_or(value, |(_, label)| *label)
    }
}

/// The label of a type of targets.
pub(super) fn type_label(kind: TargetType) -> &'static str {
    match kind {
        TargetType::Repository => "Repositories",
        TargetType::Container => "Container images",
        TargetType::Instance => "Instances",
        TargetType::Configuration => "Configurations",
    }
}

/// The field with the maximum duration of exemptions for this severity.
pub(super) fn days_max(level: Severity) -> String {
    format!("exemption_days_max.{level}")
}

/// The fields of a type's default baseline: the mode, and the variant or pattern.
pub(super) fn baseline_names(kind: TargetType) -> (String, String) {
    (format!("default_baselines.{kind}"), format!("default_baselines.{kind}.value"))
}

/// The modes of a type's default baseline, with their labels.
pub(super) fn baseline_modes(kind: TargetType) -> [(&'static str, String); 4] {
    let built_in = match kind {
        TargetType::Repository => r"Built-in: main|master",
        TargetType::Container => r"Built-in: latest|v?\d+\.\d+\.\d+",
        TargetType::Instance | TargetType::Configuration => "Built-in: none",
    };
    [
        ("", built_in.to_owned()),
        ("none", "None: the last accepted scan of the same variant".to_owned()),
        ("variant", "Fixed variant".to_owned()),
        ("regex", "Variant that matches a pattern".to_owned()),
    ]
}

/// Converts settings to the fields of the form.
pub(super) fn to_form(settings: &SettingsBody) -> Form {
    let mut fields = form_urlencoded::Serializer::new(String::new());
    let text = |setting: &Option<String>, default: &str| setting.clone().unwrap_or_else(|| default.to_owned());
    let number = |setting: Option<u32>, default: u32| setting.unwrap_or(default).to_string();
    let flag = |setting: Option<bool>| setting.unwrap_or_default().to_string();
    fields
        .append_pair("unassigned_as", &text(&settings.unassigned_as, ""))
        .append_pair("tool_suppressions", &text(&settings.tool_suppressions, "ignored"))
        .append_pair("missing_baseline", &text(&settings.missing_baseline, "everything_counts"))
        .append_pair("updated_occurrences", &text(&settings.updated_occurrences, "new"))
        .append_pair("rejected_allowed", &number(settings.rejected_allowed, 0))
        .append_pair("new_blind_spots", &text(&settings.new_blind_spots, "undecided"))
        .append_pair("baseline_changes", &text(&settings.baseline_changes, "secops"))
        .append_pair("criteria", &criteria::to_text(settings))
        .append_pair("examined_share", &number(settings.examined_share, 50))
        .append_pair("self_approval", &flag(settings.self_approval))
        .append_pair("unlimited_exemptions", &flag(settings.unlimited_exemptions))
        .append_pair("ending_notice_days", &number(settings.ending_notice_days, 7))
        .append_pair("severity_rise_allowed", &number(settings.severity_rise_allowed, 0));
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

/// Reads the settings from the form; those without a field stay as in `settings`.
///
/// # Errors
/// A field is not a number, or contradicts another.
pub(super) fn from_form(form: &Form, mut settings: SettingsBody) -> Result<SettingsBody, Problem> {
    let text = |name: &str| form.optional(name).map(str::to_owned);
    settings.unassigned_as = text("unassigned_as");
    settings.tool_suppressions = text("tool_suppressions");
    settings.missing_baseline = text("missing_baseline");
    settings.updated_occurrences = text("updated_occurrences");
    settings.rejected_allowed = form.number("rejected_allowed")?;
    settings.new_blind_spots = text("new_blind_spots");
    settings.baseline_changes = text("baseline_changes");
    (settings.criteria, settings.target_criteria) = criteria::from_text(form.text("criteria"))?;
    settings.examined_share = form.number("examined_share")?;
    settings.self_approval = Some(form.text("self_approval") == "true");
    settings.unlimited_exemptions = Some(form.text("unlimited_exemptions") == "true");
    settings.ending_notice_days = form.number("ending_notice_days")?;
    settings.severity_rise_allowed = form.number("severity_rise_allowed")?;
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

/// A setting that differs between two forms, in the words of the page.
pub(super) struct Difference {
    pub(super) label: String,
    pub(super) now: String,
    pub(super) entered: String,
}

/// The settings in which what was entered differs from the present ones.
pub(super) fn differences(now: &Form, entered: &Form) -> Vec<Difference> {
    let words = |form: &Form, choice: &Choice| choice.words(form.text(choice.name)).to_owned();
    let lines = |form: &Form| form.text("criteria").lines().map(str::trim).collect::<Vec<_>>().join("; ");
    let criteria = (CRITERIA.to_owned(), lines(now), lines(entered));
    let choices = CHOICES.iter().map(|choice| (choice.label.to_owned(), words(now, choice), words(entered, choice)));
    let number = |name: String, label: String| (label, now.text(&name).to_owned(), entered.text(&name).to_owned());
    let numbers = [
        ("rejected_allowed", "Allowed unreadable entries"),
        ("examined_share", "Share to examine, in percent"),
        ("ending_notice_days", "Expiry notice, in days"),
    ];
    let numbers = numbers.map(|(name, label)| number(name.to_owned(), label.to_owned()));
    let days = Severity::ALL.map(|level| number(days_max(level), format!("Maximum duration, {level}")));
    let baseline = |form: &Form, kind: TargetType| {
        let (mode, value) = baseline_names(kind);
        let modes = baseline_modes(kind);
        let label = modes.iter().find(|(known, _)| *known == form.text(&mode)).map_or("", |(_, label)| label.as_str());
        format!("{label} {}", form.text(&value)).trim().to_owned()
    };
    let baselines = TargetType::ALL.map(|kind| {
        (
            format!("Default baseline of {}", type_label(kind).to_lowercase()),
            baseline(now, kind),
            baseline(entered, kind),
        )
    });
    let all = choices.chain([criteria]).chain(numbers).chain(days).chain(baselines);
    let shown = |text: String| if text.is_empty() { "nothing".to_owned() } else { text };
    all.filter(|(_, now, entered)| now != entered)
        .map(|(label, now, entered)| Difference { label, now: shown(now), entered: shown(entered) })
        .collect()
}

/// A type's default baseline: `None` for the built-in one, `Some(None)` for no baseline.
fn baseline(form: &Form, kind: TargetType) -> Result<Option<Option<BaselineBody>>, Problem> {
    let (mode, value) = baseline_names(kind);
    let value = form.text(&value);
    let problem = |what: &str| {
        let detail = format!("default baseline of {}: {what}", type_label(kind).to_lowercase());
        Problem::new(Code::InvalidBody, detail)
    };
    match (form.text(&mode), value) {
        ("variant" | "regex", "") => Err(problem("the variant or pattern is missing")),
        ("variant", variant) => Ok(Some(Some(BaselineBody::variant(variant)))),
        ("regex", regex) => Ok(Some(Some(BaselineBody::regex(regex)))),
        ("none", "") => Ok(Some(None)),
        ("", "") => Ok(None),
        (_, _) => Err(problem("remove the variant or pattern, or select a mode that uses it")),
    }
}
