"""Which rule takes a request."""

import unittest
from types import SimpleNamespace

from stand_in import matching


def rule(name, priority, *conditions):
    is_default = priority == "default"
    return {"Priority": priority, "IsDefault": is_default, "Conditions": list(conditions), "Actions": name}


def path(*values):
    return {"Field": "path-pattern", "Values": list(values)}


class MatchingTest(unittest.TestCase):
    def taken(self, rules, path, method="GET", **headers):
        request = SimpleNamespace(method=method, path=path, headers=headers)
        return matching.first_match([*rules, rule("default", "default")], request)["Actions"]

    def test_the_lowest_number_wins_and_numbers_are_not_compared_as_text(self):
        rules = [rule("ten", "10", path("/a*")), rule("nine", "9", path("/a/*")), rule("two", "2", path("/b"))]
        self.assertEqual(self.taken(rules, "/a/x"), "nine")
        self.assertEqual(self.taken(rules, "/ab"), "ten")
        self.assertEqual(self.taken(rules, "/c"), "default")

    def test_a_path_is_compared_as_a_whole_and_with_its_case(self):
        rules = [rule("api", "1", path("/api", "/api/*"))]
        for there in ("/api", "/api/", "/api/x/y", "/api/%E6%9D%B1"):
            self.assertEqual(self.taken(rules, there), "api", there)
        for elsewhere in ("/API/x", "/apis", "/x/api/", "/"):
            self.assertEqual(self.taken(rules, elsewhere), "default", elsewhere)

    def test_a_star_stands_for_any_number_and_a_question_mark_for_one(self):
        rules = [rule("one", "1", path("/img/?.png")), rule("any", "2", path("/img/*.png"))]
        self.assertEqual(self.taken(rules, "/img/a.png"), "one")
        self.assertEqual(self.taken(rules, "/img/.png"), "any")
        self.assertEqual(self.taken(rules, "/img/a/b.png"), "any")

    def test_other_signs_stand_for_themselves(self):
        rules = [rule("literal", "1", path("/[ab].+"))]
        self.assertEqual(self.taken(rules, "/[ab].+"), "literal")
        self.assertEqual(self.taken(rules, "/a.x"), "default")

    def test_all_conditions_must_hold(self):
        host = {"Field": "host-header", "Values": ["*.example.com"]}
        method = {"Field": "http-request-method", "Values": ["POST"]}
        header = {"Field": "http-header", "Values": [], "HttpHeaderConfig": {"HttpHeaderName": "X-Who", "Values": ["me*"]}}
        rules = [rule("ours", "1", host, method, header, path("/*"))]
        fitting = {"host": "WWW.example.com:8443", "x-who": "Me too"}
        self.assertEqual(self.taken(rules, "/", "POST", **fitting), "ours")
        self.assertEqual(self.taken(rules, "/", "GET", **fitting), "default")
        self.assertEqual(self.taken(rules, "/", "POST", **fitting | {"host": "example.org"}), "default")
        self.assertEqual(self.taken(rules, "/", "POST", host="www.example.com"), "default")


if __name__ == "__main__":
    unittest.main()
