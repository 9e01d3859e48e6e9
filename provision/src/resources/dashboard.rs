//! A dashboard: graphs of the metrics, for people.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::alarms::{check_owner, tags};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The dashboard of our name, which is one for all regions of the account.
#[derive(Debug)]
pub struct Dashboard {
    /// The name on AWS.
    pub name: String,
    /// The name in the stack.
    pub resource: String,
}

/// What it should be; widgets go by their titles, so that a difference names one.
#[derive(Debug, PartialEq, Serialize)]
pub struct DashboardSpec {
    /// The widgets.
    pub widgets: BTreeMap<String, Value>,
    /// Everything else in its body.
    pub settings: Map<String, Value>,
}

impl DashboardSpec {
    /// Takes apart the body that AWS keeps.
    fn of_body(body: &str) -> Result<Self> {
        let mut settings: Map<String, Value> = serde_json::from_str(body).context("a dashboard that is not JSON")?;
        let mut widgets = BTreeMap::new();
        for widget in settings.remove("widgets").iter().filter_map(Value::as_array).flatten() {
            let mut title = widget["properties"]["title"].as_str().unwrap_or("untitled").to_owned();
            // Somebody may have made a copy.
            while widgets.contains_key(&title) {
                title.push('+');
            }
            widgets.insert(title, widget.clone());
        }
        Ok(Self { widgets, settings })
    }

    /// The body as AWS wants it, widgets from top to bottom.
    fn body(&self) -> String {
        let mut widgets: Vec<_> = self.widgets.values().collect();
        widgets.sort_by_key(|widget| (widget["y"].as_u64(), widget["x"].as_u64()));
        let mut body = self.settings.clone();
        body.insert("widgets".to_owned(), json!(widgets));
        Value::Object(body).to_string()
    }
}

impl Dashboard {
    async fn put(&self, context: &Context, spec: &DashboardSpec, is_new: bool) -> Result<()> {
        let request = context.aws.cloudwatch.put_dashboard().dashboard_name(&self.name).dashboard_body(spec.body());
        let request = request.set_tags(is_new.then(|| tags(context, &self.resource)));
        let answer = request.send().await.map_err(AwsError::from)?;
        // AWS takes it nevertheless; only people can say whether it matters.
        for warning in answer.dashboard_validation_messages() {
            let (path, message) = (warning.data_path().unwrap_or("/"), warning.message().unwrap_or_default());
            context.note(format_args!("AWS says of its body, at {path}: {message}"));
        }
        Ok(())
    }
}

impl Resource for Dashboard {
    const KIND: &'static str = "CloudWatch dashboard";

    type Spec = DashboardSpec;
    /// The ARN.
    type Output = String;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let answer = context.aws.cloudwatch.get_dashboard().dashboard_name(&self.name).send().await;
        let Some(found) = answer.absent_on(&["ResourceNotFound"])? else { return Ok(None) };
        let spec = DashboardSpec::of_body(found.dashboard_body().unwrap_or("{}"))?;
        Ok(Some(Live { spec, output: super::sent(found.dashboard_arn, "the dashboard's ARN")? }))
    }

    async fn create(&self, context: &Context, spec: &DashboardSpec) -> Result<String> {
        self.put(context, spec, true).await?;
        let account = context.aws.caller().await?.account;
        Ok(format!("arn:aws:cloudwatch::{account}:dashboard/{}", self.name))
    }

    /// Whose it is, is asked when something would be lost, as with alarms.
    async fn update(&self, context: &Context, live: &Live<Self>, spec: &DashboardSpec) -> Result<String> {
        check_owner(context, &format!("dashboard {}", self.name), &live.output).await?;
        self.put(context, spec, false).await?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        check_owner(context, &format!("dashboard {}", self.name), &live.output).await?;
        let request = context.aws.cloudwatch.delete_dashboards().dashboard_names(&self.name);
        request.send().await.absent_on(&["ResourceNotFound"])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_reads_back_whatever_the_order_of_its_widgets() {
        let widget = |title: &str, y: u8| json!({"x": 0, "y": y, "type": "metric", "properties": {"title": title}});
        let one = json!({"start": "-PT3H", "widgets": [widget("a", 0), widget("b", 6), widget("b", 12)]});
        let other = json!({"widgets": [widget("b", 6), widget("a", 0), widget("b", 12)], "start": "-PT3H"});
        let spec = DashboardSpec::of_body(&other.to_string()).unwrap();
        assert_eq!(spec, DashboardSpec::of_body(&one.to_string()).unwrap());
        assert_eq!(spec.widgets.keys().collect::<Vec<_>>(), ["a", "b", "b+"]);
        assert_eq!(serde_json::from_str::<Value>(&spec.body()).unwrap(), one);
    }
}
