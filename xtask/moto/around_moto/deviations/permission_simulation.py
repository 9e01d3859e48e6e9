"""Somebody can ask what a caller may do.

moto: does not know SimulatePrincipalPolicy, and answers 500.
AWS: says of each action whether the caller's policies allow it.
Needed: `doctor` asks before the first deploy. Here, where nobody checks permissions, everything is allowed.
"""

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse


def install():
    IamResponse.simulate_principal_policy = _allowing


def _allowing(self):
    names = self._get_param("ActionNames", [])
    results = [{"EvalActionName": name, "EvalResourceName": "*", "EvalDecision": "allowed"} for name in names]
    return ActionResult({"EvaluationResults": results, "IsTruncated": False})
