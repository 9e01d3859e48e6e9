//! Monitoring: who is told when something is wrong, and graphs of how it is.

mod graphs;

use std::collections::BTreeMap;

use config::deployment::{Alarms as Thresholds, Deployment};
use config::metrics;
use serde_json::{Value, json};

use super::network::Edge;
use crate::names::Names;
use crate::resources::alarms::{Alarm, Alarms, AlarmsSpec, Measured, Query};
use crate::resources::dashboard::Dashboard;
use crate::resources::ecs_service::EcsService;
use crate::resources::identity::{Caller, Identity};
use crate::resources::load_balancer::LoadBalancerOutput;
use crate::resources::target_group::TargetGroupOutput;
use crate::resources::topic::{self, Topic, TopicSpec};
use crate::stack::{Handle, Stack};

/// Whose metrics they are, as CloudWatch tells them apart.
struct Watched {
    cluster: String,
    service: String,
    load_balancer: String,
    page: String,
    api: String,
    namespace: String,
    environment: String,
}

pub(super) fn add(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    identity: Handle<Identity>,
    edge: &Edge,
    service: Handle<EcsService>,
) -> (Option<Handle<Topic>>, Option<Handle<Dashboard>>) {
    let dashboard = if deployment.dashboard {
        Some(graphs::add(stack, deployment, names, identity, edge))
    } else {
        stack.retire("dashboard", graphs::key(names), &());
        None
    };
    let Some(thresholds) = deployment.alarms.clone() else {
        let topic = stack.retire("alarm-topic", topic_key(names, None), &());
        stack.retire("alarms", alarms_key(names), &topic);
        return (None, dashboard);
    };
    (Some(alarms(stack, deployment, names, identity, edge, service, thresholds)), dashboard)
}

fn alarms_key(names: &Names) -> Alarms {
    Alarms { prefix: names.alarms(), resource: "alarms".to_owned() }
}

fn topic_key(names: &Names, email: Option<String>) -> Topic {
    Topic { name: names.topic(), resource: "alarm-topic".to_owned(), email }
}

fn alarms(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    identity: Handle<Identity>,
    edge: &Edge,
    service: Handle<EcsService>,
    thresholds: Thresholds,
) -> Handle<Topic> {
    let topic = topic(stack, deployment, names, identity, thresholds.email.clone());
    let key = alarms_key(names);
    let (names, deployment) = (names.clone(), deployment.clone());
    // Before the service has registered its targets there is nothing to be healthy, which would be an alarm.
    let inputs = (topic, edge.load_balancer, edge.page, edge.api, service);
    stack.add("alarms", key, inputs, move |(topic, load_balancer, page, api, _)| {
        let watched = Watched::new(&deployment, &names, &load_balancer, &page, &api);
        AlarmsSpec(watched.alarms(&thresholds, &topic.arn))
    });
    topic
}

fn topic(
    stack: &mut Stack,
    deployment: &Deployment,
    names: &Names,
    identity: Handle<Identity>,
    email: Option<String>,
) -> Handle<Topic> {
    let (name, region) = (names.topic(), deployment.region.clone());
    let kms_key = deployment.encryption.kms_key_arn.clone();
    let key = topic_key(names, email.clone());
    stack.add("alarm-topic", key, identity, move |caller| TopicSpec {
        policy: may_publish(&caller, &region, &topic::arn(&region, &caller.account, &name)),
        emails: email.iter().cloned().collect(),
        kms_key: kms_key.clone(),
    })
}

/// Only alarms of this account, and nobody without TLS.
fn may_publish(caller: &Caller, region: &str, topic: &str) -> Value {
    let alarms = format!("arn:aws:cloudwatch:{region}:{}:alarm:*", caller.account);
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": { "Service": "cloudwatch.amazonaws.com" },
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": {
                    "StringEquals": { "aws:SourceAccount": caller.account },
                    "ArnLike": { "aws:SourceArn": alarms },
                },
            },
            {
                "Effect": "Deny",
                "Principal": { "AWS": "*" },
                "Action": "sns:Publish",
                "Resource": topic,
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            },
        ],
    })
}

/// The names of the alarms, which are known before anything exists.
const ALARMS: [&str; 9] = [
    "cpu",
    "memory",
    "errors",
    "unhealthy-page",
    "unhealthy-api",
    "none-healthy-page",
    "none-healthy-api",
    "response-time",
    "success-rate",
];

/// How many metrics all alarms watch together, which is what AWS counts.
pub(crate) const ALARM_METRICS: u32 = 11;

const ECS: &str = "AWS/ECS";
const ELB: &str = "AWS/ApplicationELB";

impl Watched {
    fn new(
        deployment: &Deployment,
        names: &Names,
        load_balancer: &LoadBalancerOutput,
        page: &TargetGroupOutput,
        api: &TargetGroupOutput,
    ) -> Self {
        // CloudWatch knows load balancers and target groups by the ends of their ARNs.
        let after = |arn: &str, part: &str| arn.split_once(part).map_or(arn, |(_, rest)| rest).to_owned();
        let group = |arn: &str| format!("targetgroup/{}", after(arn, ":targetgroup/"));
        Self {
            cluster: names.cluster(),
            service: names.service(),
            load_balancer: after(&load_balancer.arn, ":loadbalancer/"),
            page: group(&page.arn),
            api: group(&api.arn),
            namespace: deployment.app.clone(),
            environment: deployment.environment.clone(),
        }
    }

    fn alarms(&self, thresholds: &Thresholds, topic: &str) -> BTreeMap<String, Alarm> {
        let alarms = [
            self.busy("CPUUtilization", "CPU", thresholds.cpu_percent),
            self.busy("MemoryUtilization", "memory", thresholds.memory_percent),
            self.errors(thresholds.errors),
            self.unhealthy(&self.page, "page"),
            self.unhealthy(&self.api, "API"),
            self.none_healthy(&self.page, "page"),
            self.none_healthy(&self.api, "API"),
            self.slow(thresholds.response_seconds),
            self.unsuccessful(thresholds.success_percent),
        ];
        let told = |alarm| Alarm { when_alarm: vec![topic.to_owned()], when_ok: vec![topic.to_owned()], ..alarm };
        ALARMS.into_iter().map(ToOwned::to_owned).zip(alarms.into_iter().map(told)).collect()
    }

    /// Scaling aims lower and takes some minutes; after a quarter of an hour it has had its chance.
    fn busy(&self, metric: &str, what: &str, percent: u8) -> Alarm {
        Alarm {
            description: format!(
                "Tasks use more than {percent} % of their {what}: raise scaling.max or the task's size"
            ),
            metric: Some(self.of_service(metric)),
            threshold: f64::from(percent),
            periods: 3,
            breaching: 3,
            ..alarm("GreaterThanThreshold")
        }
    }

    /// Errors of the service and of the load balancer that has no healthy target.
    fn errors(&self, most: u32) -> Alarm {
        let count = |name: &str| Measured { statistic: "Sum".to_owned(), ..self.of_load_balancer(name) };
        // Only what happened is reported, so each of the two may be absent.
        let expression = "FILL(service, 0) + FILL(balancer, 0)";
        let queries = [
            ("service", part(count("HTTPCode_Target_5XX_Count"))),
            ("balancer", part(count("HTTPCode_ELB_5XX_Count"))),
            ("errors", result(expression, "errors")),
        ];
        Alarm {
            description: format!("More than {most} answers of 500 or above in 5 minutes: see `provision logs`"),
            queries: named(queries),
            threshold: f64::from(most),
            ..alarm("GreaterThanThreshold")
        }
    }

    /// A new task has a minute to become healthy, so a rollout is no alarm.
    fn unhealthy(&self, group: &str, what: &str) -> Alarm {
        let dimensions = BTreeMap::from([
            ("LoadBalancer".to_owned(), self.load_balancer.clone()),
            ("TargetGroup".to_owned(), group.to_owned()),
        ]);
        let metric = Measured {
            statistic: "Maximum".to_owned(),
            period: 60,
            dimensions,
            ..self.of_load_balancer("UnHealthyHostCount")
        };
        Alarm {
            description: format!("A task does not answer health checks of the {what}: see `provision status`"),
            metric: Some(metric),
            threshold: 0.0,
            periods: 5,
            breaching: 5,
            // No data means no target at all.
            missing_data: "breaching".to_owned(),
            ..alarm("GreaterThanThreshold")
        }
    }

    /// A task that ends soon after its start, again and again, is never counted as unhealthy, but as new or going.
    fn none_healthy(&self, group: &str, what: &str) -> Alarm {
        let unhealthy = self.unhealthy(group, what);
        let metric = unhealthy.metric.map(|metric| Measured { name: "HealthyHostCount".to_owned(), ..metric });
        Alarm {
            description: format!("No task answers health checks of the {what}: see `provision status`"),
            metric,
            threshold: 1.0,
            comparison: "LessThanThreshold".to_owned(),
            ..unhealthy
        }
    }

    fn slow(&self, seconds: u16) -> Alarm {
        Alarm {
            description: format!(
                "One answer in twenty begins after more than {seconds} s: is the weather service slow?"
            ),
            metric: Some(Measured { statistic: "p95".to_owned(), ..self.of_load_balancer("TargetResponseTime") }),
            threshold: f64::from(seconds),
            periods: 3,
            breaching: 3,
            // At night a single slow request would be the 95th percentile.
            few_samples: Some("ignore".to_owned()),
            ..alarm("GreaterThanThreshold")
        }
    }

    /// The share of comments that could be made, as the service itself counts them.
    fn unsuccessful(&self, percent: u8) -> Alarm {
        let queries = [
            ("made", part(self.of_app(metrics::COMMENTS_MADE))),
            ("failed", part(self.of_app(metrics::COMMENTS_FAILED))),
            // One failure among very few is nothing to wake up for.
            ("share", result("IF(made + failed >= 10, 100 * made / (made + failed), 100)", "success rate")),
        ];
        Alarm {
            description: format!("Less than {percent} % of comments could be made: is the weather service down?"),
            queries: named(queries),
            threshold: f64::from(percent),
            periods: 2,
            breaching: 2,
            ..alarm("LessThanThreshold")
        }
    }

    fn of_service(&self, name: &str) -> Measured {
        let dimensions = [("ClusterName", &self.cluster), ("ServiceName", &self.service)];
        measured(ECS, name, dimensions.map(|(name, value)| (name.to_owned(), value.clone())).into(), "Average")
    }

    fn of_load_balancer(&self, name: &str) -> Measured {
        measured(ELB, name, [("LoadBalancer".to_owned(), self.load_balancer.clone())].into(), "Average")
    }

    fn of_app(&self, name: &str) -> Measured {
        measured(&self.namespace, name, [(metrics::DIMENSION.to_owned(), self.environment.clone())].into(), "Sum")
    }
}

/// Over five minutes: what passes sooner passes before anybody has opened the mail.
fn measured(namespace: &str, name: &str, dimensions: BTreeMap<String, String>, statistic: &str) -> Measured {
    let [namespace, name, statistic] = [namespace, name, statistic].map(ToOwned::to_owned);
    Measured { namespace, name, dimensions, statistic, period: 300, unit: None }
}

fn part(metric: Measured) -> Query {
    Query { metric: Some(metric), expression: None, label: None, watched: false }
}

fn result(expression: &str, label: &str) -> Query {
    Query { metric: None, expression: Some(expression.to_owned()), label: Some(label.to_owned()), watched: true }
}

fn named<const N: usize>(queries: [(&str, Query); N]) -> BTreeMap<String, Query> {
    queries.map(|(id, query)| (id.to_owned(), query)).into()
}

/// What most alarms have in common.
fn alarm(comparison: &str) -> Alarm {
    Alarm {
        description: String::new(),
        metric: None,
        queries: BTreeMap::new(),
        comparison: comparison.to_owned(),
        threshold: 0.0,
        periods: 1,
        breaching: 1,
        // No requests, no numbers: at night that is as it should be.
        missing_data: "notBreaching".to_owned(),
        few_samples: None,
        enabled: true,
        when_alarm: Vec::new(),
        when_ok: Vec::new(),
        when_unknown: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use config::deployment::ConfigSource;

    use super::*;

    #[test]
    fn load_balancers_and_target_groups_are_named_by_the_ends_of_their_arns() {
        let deployment = Deployment::load(&ConfigSource::Environment("staging".to_owned()), &[]).unwrap();
        let arn = |end: &str| format!("arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:{end}");
        let balancer = LoadBalancerOutput {
            arn: arn("loadbalancer/app/our-alb/50dc6c495c0c9188"),
            dns_name: String::new(),
            hosted_zone_id: String::new(),
        };
        let group =
            |name: &str| TargetGroupOutput { arn: arn(&format!("targetgroup/{name}/6d0e")), name: name.to_owned() };
        let watched = Watched::new(&deployment, &Names::of(&deployment), &balancer, &group("page"), &group("api"));
        let alarms = watched.alarms(&deployment.alarms.unwrap(), "arn:topic");
        assert_eq!(alarms.len(), ALARMS.len());
        let metric = alarms["unhealthy-api"].metric.clone().unwrap();
        assert_eq!(metric.dimensions["TargetGroup"], "targetgroup/api/6d0e");
        assert_eq!(metric.dimensions["LoadBalancer"], "app/our-alb/50dc6c495c0c9188");
        let watched = |alarm: &Alarm| {
            u32::from(alarm.metric.is_some())
                + alarm.queries.values().filter(|it| it.metric.is_some()).map(|_| 1).sum::<u32>()
        };
        assert_eq!(alarms.values().map(watched).sum::<u32>(), ALARM_METRICS);
        // CloudWatch takes whole minutes, and not more than a day in all.
        for (name, alarm) in &alarms {
            let metrics = alarm.metric.iter().chain(alarm.queries.values().filter_map(|query| query.metric.as_ref()));
            assert!(metrics.clone().count() > 0, "{name} watches nothing");
            assert!(metrics.into_iter().all(|it| it.period % 60 == 0 && it.period * alarm.periods <= 86_400), "{name}");
            assert!(alarm.breaching <= alarm.periods && alarm.description.len() <= 1024, "{name}");
        }
    }
}
