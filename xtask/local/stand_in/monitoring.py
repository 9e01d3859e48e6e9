"""Alarms and dashboards.

Restored: an alarm over an expression keeps its metrics, and one over a percentile what few samples mean
(ministack forgets both), and it has no other statistic; a dashboard has tags; a period is one that CloudWatch can count; a dashboard is JSON, and one that does not exist
cannot be deleted, by the name that AWS has for that. The SDK asks in CBOR, for which `cbor2` is installed:
without it, ministack would take every question for an empty one.
"""

import json

from ministack.services import cloudwatch

_FORGOTTEN = ("Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile")
_OF_ONE_METRIC = {"MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit"}


def install():
    cloudwatch._put_metric_alarm = _whole(cloudwatch._put_metric_alarm)
    cloudwatch._cbor_alarm = _without_inventions(cloudwatch._cbor_alarm)
    cloudwatch._put_dashboard = _of_json(cloudwatch._put_dashboard)
    cloudwatch._validate_alarm_tag_arn = _or_a_dashboard(cloudwatch._validate_alarm_tag_arn)
    cloudwatch._error = _named_as_on_aws(cloudwatch._error)


def _refused(code, message, is_cbor):
    return cloudwatch._error(code, message, 400, use_json=not is_cbor, use_cbor=is_cbor)


def _whole(put_metric_alarm):
    def put(params, data, is_cbor, is_json=False):
        periods = [it["MetricStat"]["Period"] for it in data.get("Metrics") or [] if "MetricStat" in it]
        periods += [data["Period"]] if "Period" in data else []
        if any(period % 60 and period not in (10, 20, 30) for period in periods):
            return _refused("ValidationError", "Period must be 10, 20, 30 or a multiple of 60", is_cbor)
        answer = put_metric_alarm(params, data, is_cbor, is_json)
        if answer[0] == 200:
            cloudwatch._alarms[data["AlarmName"]] |= {name: data[name] for name in _FORGOTTEN if data.get(name)}
        return answer

    return put


def _without_inventions(cbor_alarm):
    def describe(alarm):
        told = cbor_alarm(alarm)
        invented = _OF_ONE_METRIC if "Metrics" in alarm else {"Statistic"} if alarm.get("ExtendedStatistic") else set()
        return {name: value for name, value in told.items() if name not in invented and value != ""}

    return describe


def _of_json(put_dashboard):
    def put(params, data, is_cbor, is_json=False):
        try:
            json.loads(data["DashboardBody"])
        except ValueError:
            return _refused("InvalidParameterInput", "The field DashboardBody must be a valid JSON object", is_cbor)
        is_new = data["DashboardName"] not in cloudwatch._dashboards
        answer = put_dashboard(params, data, is_cbor, is_json)
        if answer[0] == 200 and is_new:
            arn = cloudwatch._dashboards[data["DashboardName"]]["DashboardArn"]
            cloudwatch._resource_tags[arn] = {tag["Key"]: tag["Value"] for tag in data.get("Tags") or []}
        return answer

    return put


def _or_a_dashboard(validate_alarm_tag_arn):
    def validate(arn, *args, **kwargs):
        if any(dashboard["DashboardArn"] == arn for dashboard in cloudwatch._dashboards.values()):
            return None
        return validate_alarm_tag_arn(arn, *args, **kwargs)

    return validate


def _named_as_on_aws(error):
    def named(code, *args, **kwargs):
        return error({"DashboardNotFoundError": "ResourceNotFound"}.get(code, code), *args, **kwargs)

    return named
