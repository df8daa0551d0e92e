//! `--call=slipway.plan`: every step that a build would take.

use serde_json::Value;

use super::Said;
use crate::plan::Plan;

/// The plans, as text and as data.
pub fn plans(plans: &[&Plan]) -> Said {
    let texts: Vec<String> = plans.iter().map(ToString::to_string).collect();
    let json = plans.iter().map(|plan| serde_json::to_value(plan).unwrap_or(Value::Null)).collect();
    Said { json: Value::Array(json), text: texts.join("\n") }
}
