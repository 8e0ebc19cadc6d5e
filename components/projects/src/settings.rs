//! The settings of a project, as requests and answers have them.

use api::Problem;
use api::body::{field, illegal};
use api::v1::{BaselineBody, CriteriaBody, GateSettingsBody, SettingsBody};
use domain::baseline::BaselineChoice;
use domain::criteria::{LeastCriteria, REQUIRED_SCANNERS_MAX, TARGET_CRITERIA_MAX, TargetPattern};
use domain::ids::ScannerId;
use domain::limits::DURATION_DAYS_MAX;
use domain::settings::{
    BaselineChanges, ExaminedShare, MissingBaseline, NewBlindSpots, NoticeDays, Settings, SeverityRise,
    ToolSuppressions, UpdatedOccurrences,
};
use domain::settings_request::GateSettings;
use domain::target::TargetType;
use domain::threshold::Threshold;
use finding::severity::Severity;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The settings as answers have them.
pub(crate) fn settings_body(settings: &Settings) -> SettingsBody {
    let baselines = settings.default_baselines.iter();
    let days_max = settings.exemption_days_max.iter();
    SettingsBody {
        unassigned_as: settings.unassigned_as.map(|severity| severity.to_string()),
        tool_suppressions: Some(settings.tool_suppressions.as_str().to_owned()),
        default_baselines: baselines.map(|(kind, choice)| (kind.to_string(), baseline_body(choice))).collect(),
        missing_baseline: Some(settings.missing_baseline.as_str().to_owned()),
        rejected_allowed: Some(settings.rejected_allowed),
        updated_occurrences: Some(settings.updated_occurrences.as_str().to_owned()),
        new_blind_spots: Some(settings.new_blind_spots.as_str().to_owned()),
        criteria: (settings.criteria != LeastCriteria::default()).then(|| criteria_body(&settings.criteria)),
        target_criteria: target_criteria_body(&settings.target_criteria),
        baseline_changes: Some(settings.baseline_changes.as_str().to_owned()),
        examined_share: Some(settings.examined_share.percent()),
        self_approval: Some(settings.self_approval),
        unlimited_exemptions: Some(settings.unlimited_exemptions),
        exemption_days_max: days_max.map(|(severity, days)| (severity.to_string(), *days)).collect(),
        ending_notice_days: Some(settings.ending_notice_days.days()),
        severity_rise_allowed: Some(settings.severity_rise_allowed.levels()),
    }
}

/// A default baseline as requests and answers have it: `null` for no baseline.
fn baseline_body(choice: &BaselineChoice) -> Option<BaselineBody> {
    match choice {
        BaselineChoice::Of(_) => Some(BaselineBody::from(choice)),
        BaselineChoice::None => None,
    }
}

/// Reads the settings of a request.
///
/// # Errors
/// A setting is not legal.
pub(crate) fn read_settings(body: SettingsBody) -> Result<Settings, Problem> {
    let unassigned_as = body.unassigned_as.map(|word| field::<Severity>("unassigned_as", &word)).transpose()?;
    if unassigned_as == Some(Severity::Unassigned) {
        return Err(illegal(
            "unassigned_as",
            "`unassigned` is not allowed; expected `info`, `low`, `medium`, `high` or `critical`",
        ));
    }
    let suppressions = body.tool_suppressions.map(|word| field::<ToolSuppressions>("tool_suppressions", &word));
    let missing = body.missing_baseline.map(|word| field::<MissingBaseline>("missing_baseline", &word));
    let updated = body.updated_occurrences.map(|word| field::<UpdatedOccurrences>("updated_occurrences", &word));
    let blind = body.new_blind_spots.map(|word| field::<NewBlindSpots>("new_blind_spots", &word));
    let changes = body.baseline_changes.map(|word| field::<BaselineChanges>("baseline_changes", &word));
    let share = body.examined_share.map(|percent| {
        let error = || illegal("examined_share", format_args!("expected 0 to 100, found {percent}"));
        ExaminedShare::new(percent).ok_or_else(error)
    });
    let default_baseline = |(kind, body): (String, Option<BaselineBody>)| {
        let at = format!("default_baselines.{}", kind.escape_default());
        let kind: TargetType = field(&at, &kind)?;
        let choice = body.map_or(Ok(BaselineChoice::None), |body| body.read(&at))?;
        Ok::<_, Problem>((kind, choice))
    };
    let days_max = |(severity, days): (String, u32)| {
        let at = format!("exemption_days_max.{}", severity.escape_default());
        if !(1..=DURATION_DAYS_MAX).contains(&days) {
            return Err(illegal(&at, format_args!("expected 1 to {DURATION_DAYS_MAX}, found {days}")));
        }
        Ok((field::<Severity>(&at, &severity)?, days))
    };
    let notice = body.ending_notice_days.map(|days| {
        let error = || illegal("ending_notice_days", format_args!("expected 1 to 90, found {days}"));
        NoticeDays::new(days).ok_or_else(error)
    });
    let rise = body.severity_rise_allowed.map(|levels| {
        let error = || illegal("severity_rise_allowed", format_args!("expected 0 to 5, found {levels}"));
        SeverityRise::new(levels).ok_or_else(error)
    });
    Ok(Settings {
        unassigned_as,
        tool_suppressions: suppressions.transpose()?.unwrap_or_default(),
        default_baselines: body.default_baselines.into_iter().map(default_baseline).collect::<Result<_, _>>()?,
        missing_baseline: missing.transpose()?.unwrap_or_default(),
        rejected_allowed: body.rejected_allowed.unwrap_or_default(),
        updated_occurrences: updated.transpose()?.unwrap_or_default(),
        new_blind_spots: blind.transpose()?.unwrap_or_default(),
        criteria: read_criteria("criteria", body.criteria.unwrap_or_default())?,
        target_criteria: read_target_criteria(body.target_criteria)?,
        baseline_changes: changes.transpose()?.unwrap_or_default(),
        examined_share: share.transpose()?.unwrap_or_default(),
        self_approval: body.self_approval.unwrap_or_default(),
        unlimited_exemptions: body.unlimited_exemptions.unwrap_or_default(),
        exemption_days_max: body.exemption_days_max.into_iter().map(days_max).collect::<Result<_, _>>()?,
        ending_notice_days: notice.transpose()?.unwrap_or_default(),
        severity_rise_allowed: rise.transpose()?.unwrap_or_default(),
    })
}

/// Reads the body of a change: the settings in it, and their names. `null` means the default, of every setting.
pub(crate) fn read_patch(body: &[u8]) -> Result<(Settings, BTreeSet<String>), Problem> {
    let mut fields: BTreeMap<String, Value> = guest::json(body)?;
    let names = fields.keys().cloned().collect();
    for name in ["default_baselines", "exemption_days_max", "target_criteria"] {
        // The default of a list by name is the empty one.
        if let Some(value) = fields.get_mut(name).filter(|value| value.is_null()) {
            *value = Value::Object(serde_json::Map::new());
        }
    }
    let text = serde_json::to_vec(&fields).map_err(|error| Problem::internal(error.to_string()))?;
    Ok((read_settings(guest::json(&text)?)?, names))
}

/// The settings of a request as answers have them.
pub(crate) fn gate_settings_body(settings: &GateSettings) -> GateSettingsBody {
    GateSettingsBody {
        tool_suppressions: settings.tool_suppressions.map(|value| value.as_str().to_owned()),
        criteria: settings.criteria.as_ref().map(criteria_body),
        target_criteria: settings.target_criteria.as_ref().map(target_criteria_body),
    }
}

/// Reads the settings of a request.
///
/// # Errors
/// No setting is named, or one is not legal.
pub(crate) fn read_gate_settings(body: GateSettingsBody) -> Result<GateSettings, Problem> {
    let suppressions = body.tool_suppressions.map(|word| field::<ToolSuppressions>("tool_suppressions", &word));
    let settings = GateSettings {
        tool_suppressions: suppressions.transpose()?,
        criteria: body.criteria.map(|body| read_criteria("criteria", body)).transpose()?,
        target_criteria: body.target_criteria.map(read_target_criteria).transpose()?,
    };
    if settings.is_empty() {
        let what = format_args!("expected at least one of {}, found none", named(&GateSettings::NAMES));
        return Err(illegal("settings", what));
    }
    Ok(settings)
}

/// Names of settings as a list in a sentence.
pub(crate) fn named(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} and `{last}`", first.join(", "))
        }
    }
}

fn target_criteria_body(criteria: &BTreeMap<TargetPattern, LeastCriteria>) -> BTreeMap<String, CriteriaBody> {
    criteria.iter().map(|(pattern, least)| (pattern.as_str().to_owned(), criteria_body(least))).collect()
}

fn criteria_body(least: &LeastCriteria) -> CriteriaBody {
    let threshold = |threshold: &Threshold| threshold.level().map(|_| threshold.as_written().to_owned());
    CriteriaBody {
        fail_on_severity: threshold(&least.fail_on_severity),
        fail_on_new: threshold(&least.fail_on_new),
        fail_on_new_occurrences: threshold(&least.fail_on_new_occurrences),
        required_scanners: least.required_scanners.iter().map(ToString::to_string).collect(),
        missing_baseline: least.missing_baseline.map(|value| value.as_str().to_owned()),
        new_blind_spots: least.new_blind_spots.map(|value| value.as_str().to_owned()),
    }
}

fn read_target_criteria(
    bodies: BTreeMap<String, CriteriaBody>,
) -> Result<BTreeMap<TargetPattern, LeastCriteria>, Problem> {
    if TARGET_CRITERIA_MAX < bodies.len() {
        let what = format_args!("expected at most {TARGET_CRITERIA_MAX} patterns, found {}", bodies.len());
        return Err(illegal("target_criteria", what));
    }
    let read = |(pattern, body): (String, CriteriaBody)| {
        let at = format!("target_criteria.{}", pattern.escape_default());
        Ok((field::<TargetPattern>(&at, &pattern)?, read_criteria(&at, body)?))
    };
    bodies.into_iter().map(read).collect()
}

/// Reads least criteria. `at` is the name of the field that contains them.
fn read_criteria(at: &str, body: CriteriaBody) -> Result<LeastCriteria, Problem> {
    let CriteriaBody {
        fail_on_severity,
        fail_on_new,
        fail_on_new_occurrences,
        required_scanners,
        missing_baseline,
        new_blind_spots,
    } = body;
    let threshold = |name: &str, word: Option<String>| match word {
        Some(word) => field::<Threshold>(&format!("{at}.{name}"), &word),
        None => Ok(Threshold::none()),
    };
    let of_scanners = format!("{at}.required_scanners");
    if REQUIRED_SCANNERS_MAX < required_scanners.len() {
        let what = format_args!("expected at most {REQUIRED_SCANNERS_MAX}, found {}", required_scanners.len());
        return Err(illegal(&of_scanners, what));
    }
    let scanner = |name: &String| field::<ScannerId>(&of_scanners, name);
    let missing = |word: String| field::<MissingBaseline>(&format!("{at}.missing_baseline"), &word);
    let blind = |word: String| field::<NewBlindSpots>(&format!("{at}.new_blind_spots"), &word);
    Ok(LeastCriteria {
        fail_on_severity: threshold("fail_on_severity", fail_on_severity)?,
        fail_on_new: threshold("fail_on_new", fail_on_new)?,
        fail_on_new_occurrences: threshold("fail_on_new_occurrences", fail_on_new_occurrences)?,
        required_scanners: required_scanners.iter().map(scanner).collect::<Result<_, _>>()?,
        missing_baseline: missing_baseline.map(missing).transpose()?,
        new_blind_spots: new_blind_spots.map(blind).transpose()?,
    })
}
