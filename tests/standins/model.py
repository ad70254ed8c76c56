"""A stand-in for language models: OpenAI's Chat Completions (https://platform.openai.com/docs/api-reference/chat) and Anthropic's Messages
(https://docs.anthropic.com/en/api/messages), as far as a structured answer needs them."""
import json

from base import Standin


class Model(Standin):
    KEY, MODEL = "sk-a-key", "small-1"

    def __init__(self, **kw):
        super().__init__(**kw)
        self.answer_with = {}       # what the model says, as an object or as bytes of its own
        self.queries = []

    def routes(self):
        return [("POST", "/v1/chat/completions", self.chat), ("POST", "/v1/messages", self.messages)]

    def strict(self, schema):
        """What OpenAI demands of a strict schema: https://platform.openai.com/docs/guides/structured-outputs"""
        self.expect(schema["type"] == "object" and schema["additionalProperties"] is False, "additionalProperties must be false")
        self.expect(sorted(schema["required"]) == sorted(schema["properties"]), "all members must be required")

    def chat(self, request):
        self.expect(request.bearer == self.KEY, "no such key", 401)
        body = request.json
        self.expect(set(body) == {"model", "temperature", "max_completion_tokens", "messages", "response_format"}, f"members {sorted(body)}")
        self.expect(body["model"] == self.MODEL, "no such model", 404)
        self.expect([m["role"] for m in body["messages"]] == ["system", "user"], "roles")
        form = body["response_format"]
        self.expect(form["type"] == "json_schema" and form["json_schema"]["strict"] is True and form["json_schema"]["name"], "response_format")
        self.strict(form["json_schema"]["schema"])
        self.queries.append(body["messages"][1]["content"])
        if isinstance(self.answer_with, bytes):
            return 200, self.answer_with
        return 200, {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": self.MODEL,
                     "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps(self.answer_with)}}]}

    def messages(self, request):
        self.expect(request.header("x-api-key") == self.KEY, "no such key", 401)
        self.expect(request.header("anthropic-version") == "2023-06-01", "anthropic-version")
        body = request.json
        self.expect(set(body) == {"model", "temperature", "max_tokens", "system", "messages", "tools", "tool_choice"}, f"members {sorted(body)}")
        self.expect(body["model"].startswith("claude"), "no such model", 404)
        self.expect([m["role"] for m in body["messages"]] == ["user"], "roles")
        self.expect(body["tool_choice"] == {"type": "tool", "name": body["tools"][0]["name"]}, "tool_choice")
        self.strict(body["tools"][0]["input_schema"])
        self.queries.append(body["messages"][0]["content"])
        return 200, {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "stop_reason": "tool_use",
                     "content": [{"type": "text", "text": "I search."}, {"type": "tool_use", "id": "toolu_1", "name": "search", "input": self.answer_with}]}
