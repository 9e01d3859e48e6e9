//! Which paths go elsewhere than the listener's default.

use anyhow::Result;
use aws_sdk_elasticloadbalancingv2::types::{PathPatternConditionConfig, Rule, RuleCondition};
use serde::Serialize;

use super::{listener, load_balancer};
use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// The rule of a listener with a priority.
#[derive(Debug)]
pub struct ListenerRule {
    /// The load balancer's name on AWS.
    pub load_balancer_name: String,
    /// The listener's port.
    pub port: i32,
    /// The rule's priority, unique in its listener.
    pub priority: i32,
}

/// What it should be.
#[derive(Debug, Serialize)]
pub struct ListenerRuleSpec {
    /// The paths, sorted.
    pub paths: Vec<String>,
    /// Where they go.
    pub target_group: String,
    /// What else a request must be like, sorted; this tool asks for nothing else.
    pub other_conditions: Vec<String>,
    /// Creation needs it; it is part of the key.
    #[serde(skip)]
    pub listener_arn: String,
}

/// Its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerRuleOutput {
    /// The ARN.
    pub arn: String,
}

fn condition(paths: &[String]) -> RuleCondition {
    let paths = PathPatternConditionConfig::builder().set_values(Some(paths.to_vec())).build();
    RuleCondition::builder().field("path-pattern").path_pattern_config(paths).build()
}

/// Reads the paths from either of the two places where AWS writes them.
fn paths(rule: &Rule) -> Vec<String> {
    let condition = rule.conditions().iter().find(|condition| condition.field() == Some("path-pattern"));
    let Some(condition) = condition else { return Vec::new() };
    let values = condition.path_pattern_config().map_or(condition.values(), |config| config.values());
    super::sorted(values.iter().cloned())
}

/// The fields of all conditions but the one for paths.
fn other_conditions(rule: &Rule) -> Vec<String> {
    let fields = rule.conditions().iter().filter_map(|condition| condition.field.clone());
    super::sorted(fields.filter(|field| field != "path-pattern"))
}

impl ListenerRule {
    /// The listener and its rules. A listener from a hint saves two questions, one after the other; if it is not there
    /// any more, the load balancer is asked for the one of today.
    async fn rules(&self, context: &Context) -> Result<Option<(String, Vec<Rule>)>> {
        let of = async |listener: String| {
            let answer = context.aws.elb.describe_rules().listener_arn(&listener).send().await;
            let answer = answer.absent_on(&["ListenerNotFound"])?;
            anyhow::Ok(answer.map(|answer| (listener, answer.rules.unwrap_or_default())))
        };
        if let Some(hinted) = context.hint(&listener::hint(self.port)).await
            && let Some(rules) = of(hinted).await?
        {
            return Ok(Some(rules));
        }
        let found = listener::find(context, &self.load_balancer_name, self.port).await?;
        match found.and_then(|found| found.listener_arn) {
            Some(listener) => of(listener).await,
            None => Ok(None),
        }
    }
}

impl Resource for ListenerRule {
    const KIND: &'static str = "listener rule";

    type Spec = ListenerRuleSpec;
    type Output = ListenerRuleOutput;

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let Some((listener_arn, rules)) = self.rules(context).await? else { return Ok(None) };
        let priority = self.priority.to_string();
        let Some(rule) = rules.into_iter().find(|rule| rule.priority() == Some(&priority)) else { return Ok(None) };
        Ok(Some(Live {
            spec: ListenerRuleSpec {
                paths: paths(&rule),
                target_group: listener::forwarded(rule.actions()),
                other_conditions: other_conditions(&rule),
                listener_arn,
            },
            output: ListenerRuleOutput { arn: super::sent(rule.rule_arn, "the rule's ARN")? },
        }))
    }

    async fn create(&self, context: &Context, spec: &ListenerRuleSpec) -> Result<ListenerRuleOutput> {
        let request = context
            .aws
            .elb
            .create_rule()
            .listener_arn(&spec.listener_arn)
            .priority(self.priority)
            .conditions(condition(&spec.paths))
            .actions(listener::forward(&spec.target_group)?)
            .set_tags(Some(load_balancer::tags(context, &format!("rule-{}", self.priority))));
        let answer = request.send().await.map_err(AwsError::from)?;
        let created = super::sent(answer.rules.unwrap_or_default().into_iter().next(), "the rule")?;
        Ok(ListenerRuleOutput { arn: super::sent(created.rule_arn, "the rule's ARN")? })
    }

    async fn update(
        &self,
        context: &Context,
        live: &Live<Self>,
        spec: &ListenerRuleSpec,
    ) -> Result<ListenerRuleOutput> {
        let request = context.aws.elb.modify_rule().rule_arn(&live.output.arn).conditions(condition(&spec.paths));
        let request = request.actions(listener::forward(&spec.target_group)?);
        request.send().await.map_err(AwsError::from)?;
        Ok(live.output.clone())
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        let request = context.aws.elb.delete_rule().rule_arn(&live.output.arn);
        request.send().await.absent_on(&["RuleNotFound"])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back_sorted_from_both_places_aws_writes_them() {
        let wanted = vec!["/api".to_owned(), "/api/*".to_owned()];
        let modern = Rule::builder().conditions(condition(&["/api/*".to_owned(), "/api".to_owned()])).build();
        let old = RuleCondition::builder().field("path-pattern").values("/api/*").values("/api").build();
        assert_eq!(paths(&modern), wanted);
        assert_eq!(paths(&Rule::builder().conditions(old).build()), wanted);
    }
}
