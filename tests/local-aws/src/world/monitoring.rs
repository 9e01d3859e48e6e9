//! Alarms and dashboards: the emulator's alarms know neither percentiles nor metric math.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{World, text};
use crate::answer::{Answer, Refusal};
use crate::call::Call;
use crate::{ACCOUNT, REGION};

/// Alarms and dashboards by name.
#[derive(Debug, Default)]
pub struct Monitoring {
    /// The fields that each alarm was put with last.
    pub alarms: BTreeMap<String, Value>,
    /// The body of each dashboard.
    pub dashboards: BTreeMap<String, String>,
    tags: BTreeMap<String, Value>,
}

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Result<Answer, Refusal>> {
    let state = &mut world.monitoring;
    let answer = match call.operation.as_str() {
        "PutMetricAlarm" => state.put_alarm(call),
        "DescribeAlarms" => Ok(state.describe_alarms(call)),
        "DeleteAlarms" => Ok(state.delete_alarms(call)),
        "PutDashboard" => state.put_dashboard(call),
        "GetDashboard" => state.get_dashboard(call),
        "DeleteDashboards" => state.delete_dashboards(call),
        "ListTagsForResource" => Ok(state.tags(call)),
        _ => return None,
    };
    Some(answer.map(|body| Answer::cbor(&body)))
}

fn names(call: &Call, field: &str) -> Vec<String> {
    call.fields[field].as_array().into_iter().flatten().map(text).collect()
}

/// Dashboards belong to no region.
fn dashboard_arn(name: &str) -> String {
    format!("arn:aws:cloudwatch::{ACCOUNT}:dashboard/{name}")
}

fn missing(kind: &str, name: &str) -> Refusal {
    Refusal { status: 404, ..Refusal::new("ResourceNotFound", format!("{kind} {name} does not exist")) }
}

impl Monitoring {
    fn tags(&self, call: &Call) -> Value {
        let tags = self.tags.get(call.text("ResourceARN")).filter(|tags| tags.is_array());
        json!({"Tags": tags.cloned().unwrap_or_else(|| json!([]))})
    }

    /// Overwrites the whole alarm, but not its tags.
    fn put_alarm(&mut self, call: &Call) -> Result<Value, Refusal> {
        let invalid = |message: &str| Err(Refusal::new("ValidationError", message));
        let has = |field: &str| !call.fields[field].is_null();
        if has("MetricName") == has("Metrics") {
            return invalid("Exactly one of MetricName and Metrics must be specified");
        }
        if has("MetricName") && has("Statistic") == has("ExtendedStatistic") {
            return invalid("Exactly one of Statistic and ExtendedStatistic must be specified");
        }
        let name = call.text("AlarmName").to_owned();
        let mut alarm = call.fields.clone();
        let arn = format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}");
        if let Some(fields) = alarm.as_object_mut() {
            let tags = fields.remove("Tags").unwrap_or_else(|| json!([]));
            self.tags.entry(arn.clone()).or_insert(tags);
            // What AWS fills in.
            fields.insert("AlarmArn".to_owned(), json!(arn));
            fields.entry("ActionsEnabled").or_insert(json!(true));
            fields.entry("TreatMissingData").or_insert(json!("missing"));
            fields.entry("StateValue").or_insert(json!("INSUFFICIENT_DATA"));
            for list in ["OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions"] {
                fields.entry(list).or_insert(json!([]));
            }
        }
        self.alarms.insert(name, alarm);
        Ok(json!({}))
    }

    fn describe_alarms(&self, call: &Call) -> Value {
        let (wanted, prefix) = (names(call, "AlarmNames"), call.text("AlarmNamePrefix"));
        let most = call.fields["MaxRecords"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(50);
        let after = call.text("NextToken");
        let fits = |name: &str| name.starts_with(prefix) && (wanted.is_empty() || wanted.iter().any(|it| it == name));
        let mut found: Vec<_> = self.alarms.iter().filter(|(name, _)| fits(name) && name.as_str() > after).collect();
        let more = found.len() > most;
        found.truncate(most);
        let token = found.last().filter(|_| more).map(|(name, _)| name.as_str());
        let alarms: Vec<_> = found.iter().map(|(_, alarm)| alarm).collect();
        let mut answer = json!({"MetricAlarms": alarms, "CompositeAlarms": []});
        if let Some(token) = token {
            answer["NextToken"] = json!(token);
        }
        answer
    }

    fn delete_alarms(&mut self, call: &Call) -> Value {
        for name in names(call, "AlarmNames") {
            if let Some(alarm) = self.alarms.remove(&name) {
                self.tags.remove(&text(&alarm["AlarmArn"]));
            }
        }
        json!({})
    }

    /// Refuses what is not JSON; what is odd in it is answered as a warning.
    fn put_dashboard(&mut self, call: &Call) -> Result<Value, Refusal> {
        let body = call.text("DashboardBody");
        let Ok(parsed) = serde_json::from_str::<Value>(body) else {
            let message = "The field DashboardBody must be a valid JSON object";
            return Err(Refusal::new("InvalidParameterInput", message));
        };
        let widgets = parsed["widgets"].as_array().cloned().unwrap_or_default();
        let no_region = |widget: &Value| widget["type"] == json!("metric") && widget["properties"]["region"].is_null();
        let warnings = widgets.iter().enumerate().filter(|(_, widget)| no_region(widget)).map(|(index, _)| {
            json!({
                "DataPath": format!("/widgets/{index}/properties"),
                "Message": "Should have required property 'region'",
            })
        });
        let warnings: Vec<_> = warnings.collect();
        let name = call.text("DashboardName");
        self.tags.entry(dashboard_arn(name)).or_insert_with(|| call.fields["Tags"].clone());
        self.dashboards.insert(name.to_owned(), body.to_owned());
        Ok(json!({"DashboardValidationMessages": warnings}))
    }

    fn get_dashboard(&self, call: &Call) -> Result<Value, Refusal> {
        let name = call.text("DashboardName");
        let body = self.dashboards.get(name).ok_or_else(|| missing("Dashboard", name))?;
        Ok(json!({"DashboardName": name, "DashboardArn": dashboard_arn(name), "DashboardBody": body}))
    }

    fn delete_dashboards(&mut self, call: &Call) -> Result<Value, Refusal> {
        let names = names(call, "DashboardNames");
        if let Some(name) = names.iter().find(|name| !self.dashboards.contains_key(*name)) {
            return Err(missing("Dashboard", name));
        }
        for name in names {
            self.dashboards.remove(&name);
            self.tags.remove(&dashboard_arn(&name));
        }
        Ok(json!({}))
    }
}
