//! What is watched, who is told, and the graphs.

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, MetricDataQuery, MetricStat, StandardUnit, Statistic, Tag,
};
use local_aws::checks::changes;
use provision::plan::Goal;
use serde_json::{Value, json};

use crate::account::Account;
use crate::case::{Case, repaired};

const EMAIL: &str = "team@example.com";

/// An account in which somebody is told.
async fn watched() -> Account {
    let account = Account::with(|runs| runs.deployment.alarms.as_mut().unwrap().email = Some(EMAIL.to_owned())).await;
    account.runs.cloud.world(|world| world.subscriptions.confirm(EMAIL));
    account
}

/// Puts an alarm again as it is, to be changed in one thing.
async fn again(account: &Account, name: &str) -> PutMetricAlarmFluentBuilder {
    let name = format!("{}{name}", account.names.alarms());
    let found = account.aws.cloudwatch.describe_alarms().alarm_names(&name).send().await.unwrap();
    let alarm = found.metric_alarms.unwrap().remove(0);
    account
        .aws
        .cloudwatch
        .put_metric_alarm()
        .alarm_name(name)
        .set_alarm_description(alarm.alarm_description)
        .set_metric_name(alarm.metric_name)
        .set_namespace(alarm.namespace)
        .set_dimensions(alarm.dimensions)
        .set_statistic(alarm.statistic)
        .set_extended_statistic(alarm.extended_statistic)
        .set_period(alarm.period)
        .set_metrics(alarm.metrics.filter(|metrics| !metrics.is_empty()))
        .set_threshold(alarm.threshold)
        .set_comparison_operator(alarm.comparison_operator)
        .set_evaluation_periods(alarm.evaluation_periods)
        .set_datapoints_to_alarm(alarm.datapoints_to_alarm)
        .set_treat_missing_data(alarm.treat_missing_data)
        .set_evaluate_low_sample_count_percentile(alarm.evaluate_low_sample_count_percentile)
        .set_alarm_actions(alarm.alarm_actions)
        .set_ok_actions(alarm.ok_actions)
        .set_actions_enabled(alarm.actions_enabled)
}

type Put = PutMetricAlarmFluentBuilder;

async fn put(account: &Account, name: &str, otherwise: impl FnOnce(Put) -> Put) {
    otherwise(again(account, name).await).send().await.unwrap();
}

/// Changes the parts of the success rate.
async fn reckon(account: &Account, otherwise: impl Fn(&mut MetricDataQuery)) {
    let mut queries = again(account, "success-rate").await.get_metrics().clone().unwrap();
    queries.iter_mut().for_each(otherwise);
    put(account, "success-rate", |it| it.set_metrics(Some(queries))).await;
}

/// Changes the metric `made` of the success rate.
async fn measure(account: &Account, otherwise: impl Fn(&mut MetricStat)) {
    reckon(account, |query| {
        if query.id() == Some("made") {
            otherwise(query.metric_stat.as_mut().unwrap());
        }
    })
    .await;
}

/// Changes the dashboard.
async fn redraw(account: &Account, otherwise: impl FnOnce(&mut Value)) {
    let name = account.names.dashboard();
    let found = account.aws.cloudwatch.get_dashboard().dashboard_name(&name).send().await.unwrap();
    let mut body: Value = serde_json::from_str(found.dashboard_body().unwrap()).unwrap();
    otherwise(&mut body);
    let request = account.aws.cloudwatch.put_dashboard().dashboard_name(name).dashboard_body(body.to_string());
    request.send().await.unwrap();
}

async fn set_topic(account: &Account, name: &str, value: &str) {
    let request = account.aws.sns.set_topic_attributes().topic_arn(account.topic());
    request.attribute_name(name).attribute_value(value).send().await.unwrap();
}

pub(crate) const CASES: &[Case] = &[
    Case::new(&["~ alarms cpu.description"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.alarm_description("nothing to see here")).await })
    }),
    Case::new(&["~ alarms cpu.threshold"], |it| Box::pin(async move { put(it, "cpu", |it| it.threshold(99.5)).await })),
    Case::new(&["~ alarms cpu.comparison"], |it| {
        Box::pin(async move {
            put(it, "cpu", |it| it.comparison_operator(ComparisonOperator::LessThanThreshold)).await;
        })
    }),
    Case::new(&["~ alarms cpu.periods"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.evaluation_periods(5)).await })
    }),
    Case::new(&["~ alarms cpu.breaching"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.datapoints_to_alarm(1)).await })
    }),
    Case::new(&["~ alarms cpu.missing_data"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.treat_missing_data("ignore")).await })
    }),
    Case::new(&["~ alarms cpu.enabled"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.actions_enabled(false)).await })
    }),
    Case::new(&["~ alarms cpu.when_alarm"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.set_alarm_actions(None)).await })
    }),
    Case::new(&["~ alarms cpu.when_ok"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.set_ok_actions(None)).await })
    }),
    Case::new(&["~ alarms cpu.when_unknown"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.insufficient_data_actions("arn:aws:sns:x:1:y")).await })
    }),
    Case::new(&["~ alarms cpu.metric.period"], |it| Box::pin(async move { put(it, "cpu", |it| it.period(60)).await })),
    Case::new(&["~ alarms cpu.metric.statistic"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.statistic(Statistic::Maximum)).await })
    }),
    Case::new(&["~ alarms cpu.metric.name"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.metric_name("CPUReservation")).await })
    }),
    Case::new(&["~ alarms cpu.metric.namespace"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.namespace("AWS/EC2")).await })
    }),
    Case::new(&["~ alarms cpu.metric.unit"], |it| {
        Box::pin(async move { put(it, "cpu", |it| it.unit(StandardUnit::Seconds)).await })
    }),
    Case::new(&["~ alarms memory.metric.dimensions.Other"], |it| {
        Box::pin(async move {
            let other = Dimension::builder().name("Other").value("x").build();
            put(it, "memory", |it| it.dimensions(other)).await;
        })
    }),
    Case::new(&["~ alarms response-time.few_samples"], |it| {
        Box::pin(
            async move { put(it, "response-time", |it| it.evaluate_low_sample_count_percentile("evaluate")).await },
        )
    }),
    Case::new(&["~ alarms response-time.metric.statistic"], |it| {
        Box::pin(async move { put(it, "response-time", |it| it.extended_statistic("p50")).await })
    }),
    Case::new(&["~ alarms success-rate.queries.share.expression"], |it| {
        Box::pin(async move {
            reckon(it, |query| query.expression = query.expression.take().map(|_| "made".to_owned())).await;
        })
    }),
    Case::new(&["~ alarms success-rate.queries.share.label"], |it| {
        Box::pin(async move { reckon(it, |query| query.label = query.label.take().map(|_| "odd".to_owned())).await })
    }),
    Case::new(&["~ alarms success-rate.queries.made.watched success-rate.queries.share.watched"], |it| {
        Box::pin(async move {
            reckon(it, |query| query.return_data = Some(query.id() == Some("made"))).await;
        })
    }),
    Case::new(&["~ alarms success-rate.queries.made.metric.namespace"], |it| {
        Box::pin(async move {
            measure(it, |stat| stat.metric.as_mut().unwrap().namespace = Some("Odd".to_owned())).await;
        })
    }),
    Case::new(&["~ alarms success-rate.queries.made.metric.name"], |it| {
        Box::pin(async move {
            measure(it, |stat| stat.metric.as_mut().unwrap().metric_name = Some("Odd".to_owned())).await;
        })
    }),
    Case::new(&["~ alarms success-rate.queries.made.metric.dimensions.Environment"], |it| {
        Box::pin(async move {
            let production = Dimension::builder().name("Environment").value("production").build();
            measure(it, |stat| stat.metric.as_mut().unwrap().dimensions = Some(vec![production.clone()])).await;
        })
    }),
    Case::new(&["~ alarms success-rate.queries.made.metric.statistic"], |it| {
        Box::pin(async move { measure(it, |stat| stat.stat = Some("Maximum".to_owned())).await })
    }),
    Case::new(&["~ alarms success-rate.queries.made.metric.period"], |it| {
        Box::pin(async move { measure(it, |stat| stat.period = Some(60)).await })
    }),
    Case::new(&["~ alarms success-rate.queries.made.metric.unit"], |it| {
        Box::pin(async move { measure(it, |stat| stat.unit = Some(StandardUnit::Seconds)).await })
    }),
    Case::new(&["~ alarms errors"], |it| {
        Box::pin(async move {
            let name = format!("{}errors", it.names.alarms());
            it.aws.cloudwatch.delete_alarms().alarm_names(name).send().await.unwrap();
        })
    }),
    // One that an older version of the tool made.
    Case::new(&["~ alarms old"], |it| {
        Box::pin(async move {
            let tags = it.ours().owner.tags("alarms").into_iter();
            let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
            let name = format!("{}old", it.names.alarms());
            again(it, "cpu").await.alarm_name(name).set_tags(Some(tags)).send().await.unwrap();
        })
    }),
    Case::new(&["+ alarms"], |it| {
        Box::pin(async move {
            let all = it.aws.cloudwatch.describe_alarms().alarm_name_prefix(it.names.alarms()).send().await.unwrap();
            let names = all.metric_alarms().iter().filter_map(|it| it.alarm_name.clone()).collect();
            it.aws.cloudwatch.delete_alarms().set_alarm_names(Some(names)).send().await.unwrap();
        })
    }),
    Case::new(&["~ alarm-topic policy.Statement"], |it| {
        Box::pin(async move {
            set_topic(it, "Policy", &json!({"Version": "2012-10-17", "Statement": []}).to_string()).await;
        })
    }),
    // With this key, alarms would be published to nobody.
    Case::new(&["~ alarm-topic kms_key"], |it| {
        Box::pin(async move { set_topic(it, "KmsMasterKeyId", "alias/aws/sns").await })
    }),
    Case::new(&["~ alarm-topic emails"], |it| {
        Box::pin(async move {
            let request = it.aws.sns.subscribe().topic_arn(it.topic()).protocol("email");
            request.endpoint("other@example.com").send().await.unwrap();
            it.runs.cloud.world(|world| world.subscriptions.confirm("other@example.com"));
        })
    }),
    Case::new(&["~ alarm-topic emails"], |it| {
        Box::pin(async move {
            let found = it.aws.sns.list_subscriptions_by_topic().topic_arn(it.topic()).send().await.unwrap();
            let ours = found.subscriptions()[0].subscription_arn().unwrap();
            it.aws.sns.unsubscribe().subscription_arn(ours).send().await.unwrap();
        })
    }),
    Case::new(&["+ alarm-topic", "? alarms"], |it| {
        Box::pin(async move {
            it.aws.sns.delete_topic().topic_arn(it.topic()).send().await.unwrap();
        })
    }),
    Case::new(&["~ dashboard widgets.Tasks.properties.view"], |it| {
        Box::pin(async move {
            redraw(it, |body| {
                let tasks = body["widgets"].as_array_mut().unwrap().iter_mut();
                let tasks = tasks.filter(|it| it["properties"]["title"] == "Tasks");
                tasks.for_each(|it| it["properties"]["view"] = json!("singleValue"));
            })
            .await;
        })
    }),
    Case::new(&["~ dashboard widgets.Alarms"], |it| {
        Box::pin(async move {
            redraw(it, |body| drop(body["widgets"].as_array_mut().unwrap().remove(0))).await;
        })
    }),
    Case::new(&["~ dashboard widgets.untitled"], |it| {
        Box::pin(async move {
            redraw(it, |body| body["widgets"].as_array_mut().unwrap().push(json!({"type": "text"}))).await;
        })
    }),
    Case::new(&["~ dashboard settings.start"], |it| {
        Box::pin(async move { redraw(it, |body| body["start"] = json!("-PT1H")).await })
    }),
    Case::new(&["+ dashboard"], |it| {
        Box::pin(async move {
            it.aws.cloudwatch.delete_dashboards().dashboard_names(it.names.dashboard()).send().await.unwrap();
        })
    }),
];

#[tokio::test(start_paused = true)]
async fn what_is_changed_about_the_monitoring_is_changed_back() {
    repaired(&watched().await, CASES).await;
}

#[tokio::test(start_paused = true)]
async fn what_says_nothing_or_is_others_business_is_no_difference() {
    let account = watched().await;
    redraw(&account, |body| body["widgets"].as_array_mut().unwrap().reverse()).await;
    let subscribe = || account.aws.sns.subscribe().topic_arn(account.topic());
    // Chat rooms and telephones are their owners', and what nobody confirmed expires by itself.
    subscribe().protocol("sms").endpoint("+81300000000").send().await.unwrap();
    subscribe().protocol("email").endpoint("other@example.com").send().await.unwrap();
    assert_eq!(changes(&account.runs).await.unwrap(), Vec::<String>::new());
}

/// Only a person can tell what somebody made by hand among ours.
#[tokio::test(start_paused = true)]
async fn an_alarm_of_our_name_without_our_tags_is_left_alone() {
    let account = Account::deployed().await;
    let name = format!("{}mine", account.names.alarms());
    again(&account, "cpu").await.alarm_name(&name).send().await.unwrap();
    let report = account.runs.run(Goal::Present).await.unwrap();
    let failures = report.failures().join("\n");
    assert!(failures.contains("mine exists but does not carry our tags"), "{failures}");
    assert!(account.runs.cloud.world(|world| world.monitoring.alarms.contains_key(&name)));
}
