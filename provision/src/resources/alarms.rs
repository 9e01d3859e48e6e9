//! The alarms of a deployment, all as one resource: one call reads them, and a difference names alarm and field.

use std::collections::BTreeMap;

use anyhow::Result;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, StandardUnit,
    Statistic, Tag,
};
use serde::Serialize;

use crate::aws::{Absent as _, AwsError};
use crate::context::Context;
use crate::resource::{Live, Resource};

/// Every alarm whose name begins with ours.
#[derive(Debug)]
pub struct Alarms {
    /// What all the names begin with.
    pub prefix: String,
    /// The name in the stack.
    pub resource: String,
}

/// The alarms by name, without the prefix.
#[derive(Debug, PartialEq, Serialize)]
#[serde(transparent)]
pub struct AlarmsSpec(pub BTreeMap<String, Alarm>);

/// One alarm.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// What it means and what to do, as the mail says it.
    pub description: String,
    /// The metric that is watched, if it is a single one.
    pub metric: Option<Measured>,
    /// Otherwise the metrics, and the expression over them that is watched.
    pub queries: BTreeMap<String, Query>,
    /// How a value is compared with the threshold.
    pub comparison: String,
    /// The threshold.
    pub threshold: f64,
    /// How many periods are looked at.
    pub periods: i32,
    /// How many of them must be beyond the threshold.
    pub breaching: i32,
    /// What a period without data counts as.
    pub missing_data: String,
    /// What a percentile of too few requests counts as.
    pub few_samples: Option<String>,
    /// Whether anybody is told.
    pub enabled: bool,
    /// Who is told that it is so.
    pub when_alarm: Vec<String>,
    /// Who is told that it is over.
    pub when_ok: Vec<String>,
    /// Who is told that there is no data.
    pub when_unknown: Vec<String>,
}

/// A metric as it is summed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// Whose metric, as `AWS/ECS`.
    pub namespace: String,
    /// Which metric.
    pub name: String,
    /// Of what.
    pub dimensions: BTreeMap<String, String>,
    /// `Average`, `Sum`, `Maximum` or a percentile like `p95`.
    pub statistic: String,
    /// Over how many seconds.
    pub period: i32,
    /// Only values with this unit, if not all.
    pub unit: Option<String>,
}

/// One part of metric math.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Query {
    /// A metric,
    pub metric: Option<Measured>,
    /// or an expression over the others.
    pub expression: Option<String>,
    /// What it is called in a graph.
    pub label: Option<String>,
    /// Whether it is what is watched.
    pub watched: bool,
}

impl Alarms {
    async fn find(&self, context: &Context) -> Result<Vec<MetricAlarm>> {
        let request = context.aws.cloudwatch.describe_alarms().alarm_name_prefix(&self.prefix);
        let request = request.alarm_types(AlarmType::MetricAlarm).max_records(100);
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let answer = request.clone().set_next_token(next).send().await.map_err(AwsError::from)?;
            found.extend(answer.metric_alarms.unwrap_or_default());
            next = answer.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }

    async fn put(&self, context: &Context, name: &str, alarm: &Alarm, tags: Option<Vec<Tag>>) -> Result<()> {
        let request = context
            .aws
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(format!("{}{name}", self.prefix))
            .alarm_description(&alarm.description)
            .comparison_operator(ComparisonOperator::from(alarm.comparison.as_str()))
            .threshold(alarm.threshold)
            .evaluation_periods(alarm.periods)
            .datapoints_to_alarm(alarm.breaching)
            .treat_missing_data(&alarm.missing_data)
            .set_evaluate_low_sample_count_percentile(alarm.few_samples.clone())
            .actions_enabled(alarm.enabled)
            .set_alarm_actions(Some(alarm.when_alarm.clone()))
            .set_ok_actions(Some(alarm.when_ok.clone()))
            .set_insufficient_data_actions(Some(alarm.when_unknown.clone()))
            .set_tags(tags);
        let request = match &alarm.metric {
            None => request.set_metrics(Some(alarm.queries.iter().map(|(id, query)| query.for_aws(id)).collect())),
            Some(metric) => request
                .namespace(&metric.namespace)
                .metric_name(&metric.name)
                .set_dimensions(Some(dimensions(metric)))
                .set_statistic((!metric.is_percentile()).then(|| Statistic::from(metric.statistic.as_str())))
                .set_extended_statistic(metric.is_percentile().then(|| metric.statistic.clone()))
                .period(metric.period)
                .set_unit(metric.unit.as_deref().map(StandardUnit::from)),
        };
        request.send().await.map_err(AwsError::from)?;
        Ok(())
    }

    async fn put_all(&self, context: &Context, live: &BTreeMap<String, Alarm>, spec: &AlarmsSpec) -> Result<()> {
        for (name, alarm) in spec.0.iter().filter(|(name, alarm)| live.get(*name) != Some(alarm)) {
            // AWS takes tags only when the alarm is new.
            let tags = if live.contains_key(name) {
                self.check_owner(context, name).await?;
                None
            } else {
                Some(tags(context, &self.resource))
            };
            self.put(context, name, alarm, tags).await?;
        }
        let unwanted = live.keys().filter(|name| !spec.0.contains_key(*name));
        self.remove(context, unwanted.cloned().collect()).await
    }

    /// Reading the tags of each alarm in each plan would take a call for each; it is enough before one is lost.
    async fn check_owner(&self, context: &Context, name: &str) -> Result<()> {
        let name = format!("{}{name}", self.prefix);
        let account = context.aws.caller().await?.account;
        check_owner(context, &format!("alarm {name}"), &arn(&context.aws.region, &account, &name)).await
    }

    async fn remove(&self, context: &Context, names: Vec<String>) -> Result<()> {
        for name in &names {
            self.check_owner(context, name).await?;
        }
        // AWS takes a hundred names at a time.
        for names in names.chunks(100) {
            let names = names.iter().map(|name| format!("{}{name}", self.prefix)).collect();
            let request = context.aws.cloudwatch.delete_alarms().set_alarm_names(Some(names));
            request.send().await.absent_on(&["ResourceNotFound"])?;
        }
        Ok(())
    }
}

/// The ARN of an alarm.
pub fn arn(region: &str, account: &str, name: &str) -> String {
    format!("arn:aws:cloudwatch:{region}:{account}:alarm:{name}")
}

/// The tags of a new thing of this service.
pub(super) fn tags(context: &Context, resource: &str) -> Vec<Tag> {
    let tags = context.aws.owner.tags(resource).into_iter();
    tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Refuses an alarm or a dashboard that has our name but not our tags.
pub(super) async fn check_owner(context: &Context, what: &str, arn: &str) -> Result<()> {
    let answer = context.aws.cloudwatch.list_tags_for_resource().resource_arn(arn).send().await;
    let tags = answer.map_err(AwsError::from)?.tags.unwrap_or_default();
    let tags = tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default()));
    Ok(context.aws.owner.check(what, tags)?)
}

fn dimensions(metric: &Measured) -> Vec<Dimension> {
    metric.dimensions.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect()
}

fn named(dimensions: Option<Vec<Dimension>>) -> BTreeMap<String, String> {
    dimensions.into_iter().flatten().filter_map(|it| Some((it.name?, it.value?))).collect()
}

impl Measured {
    fn is_percentile(&self) -> bool {
        self.statistic.starts_with('p')
    }

    fn for_aws(&self) -> MetricStat {
        let metric = Metric::builder().namespace(&self.namespace).metric_name(&self.name);
        let metric = metric.set_dimensions(Some(dimensions(self))).build();
        let unit = self.unit.as_deref().map(StandardUnit::from);
        MetricStat::builder().metric(metric).period(self.period).stat(&self.statistic).set_unit(unit).build()
    }

    fn of_aws(stat: MetricStat) -> Option<Self> {
        let metric = stat.metric?;
        Some(Self {
            namespace: metric.namespace?,
            name: metric.metric_name?,
            dimensions: named(metric.dimensions),
            statistic: stat.stat?,
            period: stat.period?,
            unit: stat.unit.map(|unit| unit.as_str().to_owned()),
        })
    }
}

impl Query {
    fn for_aws(&self, id: &str) -> MetricDataQuery {
        MetricDataQuery::builder()
            .id(id)
            .set_metric_stat(self.metric.as_ref().map(Measured::for_aws))
            .set_expression(self.expression.clone())
            .set_label(self.label.clone())
            .return_data(self.watched)
            .build()
    }

    fn of_aws(query: MetricDataQuery) -> Option<(String, Self)> {
        let metric = query.metric_stat.and_then(Measured::of_aws);
        let watched = query.return_data.unwrap_or(true);
        Some((query.id?, Self { metric, expression: query.expression, label: query.label, watched }))
    }
}

impl Alarm {
    fn of_aws(alarm: MetricAlarm) -> Self {
        let statistic = alarm.statistic.map(|statistic| statistic.as_str().to_owned());
        let metric = alarm.metric_name.map(|name| Measured {
            namespace: alarm.namespace.unwrap_or_default(),
            name,
            dimensions: named(alarm.dimensions),
            statistic: statistic.or(alarm.extended_statistic).unwrap_or_default(),
            period: alarm.period.unwrap_or_default(),
            unit: alarm.unit.map(|unit| unit.as_str().to_owned()),
        });
        let periods = alarm.evaluation_periods.unwrap_or_default();
        Self {
            description: alarm.alarm_description.unwrap_or_default(),
            metric,
            queries: alarm.metrics.into_iter().flatten().filter_map(Query::of_aws).collect(),
            comparison: alarm.comparison_operator.map(|it| it.as_str().to_owned()).unwrap_or_default(),
            threshold: alarm.threshold.unwrap_or(f64::NAN),
            periods,
            breaching: alarm.datapoints_to_alarm.unwrap_or(periods),
            missing_data: alarm.treat_missing_data.unwrap_or_else(|| "missing".to_owned()),
            few_samples: alarm.evaluate_low_sample_count_percentile,
            enabled: alarm.actions_enabled.unwrap_or(true),
            when_alarm: super::sorted(alarm.alarm_actions.into_iter().flatten()),
            when_ok: super::sorted(alarm.ok_actions.into_iter().flatten()),
            when_unknown: super::sorted(alarm.insufficient_data_actions.into_iter().flatten()),
        }
    }
}

impl Resource for Alarms {
    const KIND: &'static str = "CloudWatch alarms";

    type Spec = AlarmsSpec;
    type Output = ();

    async fn read(&self, context: &Context) -> Result<Option<Live<Self>>> {
        let found = self.find(context).await?.into_iter().filter_map(|mut alarm| {
            let name = alarm.alarm_name.take()?.strip_prefix(&self.prefix)?.to_owned();
            Some((name, Alarm::of_aws(alarm)))
        });
        let found: BTreeMap<_, _> = found.collect();
        Ok((!found.is_empty()).then_some(Live { spec: AlarmsSpec(found), output: () }))
    }

    async fn create(&self, context: &Context, spec: &AlarmsSpec) -> Result<()> {
        self.put_all(context, &BTreeMap::new(), spec).await
    }

    async fn update(&self, context: &Context, live: &Live<Self>, spec: &AlarmsSpec) -> Result<()> {
        self.put_all(context, &live.spec.0, spec).await
    }

    async fn delete(&self, context: &Context, live: &Live<Self>) -> Result<()> {
        self.remove(context, live.spec.0.keys().cloned().collect()).await
    }
}
