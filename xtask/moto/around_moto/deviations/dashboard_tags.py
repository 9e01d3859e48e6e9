"""A new dashboard has the tags that it is made with.

moto: forgets them.
AWS: keeps the tags of a new dashboard (the API reference of PutDashboard, Tags).
Needed: whose a dashboard is, is asked before it is changed or deleted.
"""

from moto.cloudwatch.responses import CloudWatchResponse


def install():
    CloudWatchResponse.put_dashboard = _with_tags(CloudWatchResponse.put_dashboard)


def _with_tags(put_dashboard):
    def put(self):
        name, backend = self._get_param("DashboardName"), self.cloudwatch_backend
        is_new = backend.get_dashboard(name) is None
        answer = put_dashboard(self)
        if is_new:
            backend.tagger.tag_resource(backend.get_dashboard(name).arn, self._get_param("Tags", []))
        return answer

    return put
