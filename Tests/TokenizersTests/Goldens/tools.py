"""Goldens of chat templates with tools, tool calls, their results and contents in parts.

Made with Python 3.11.7, transformers 5.24.0, tokenizers 0.23.3 and jinja2 3.1.6:
    /tmp/venv/bin/python tools.py
Reads published.py and chat_ids.py beside this file. The templates are in Templates/; gptoss is from the
wheel trl 1.16.0, and mistral_v2v3, mistral_v3_tekken and command_a_tool_use are from axolotl 0.19.0, all
Apache-2.0. Writes tools.json: the conversations, and for each template a digest (FNV-1a, 64 bits) of
each conversation's text, the ranges of its loss mask, and a digest of its ids with one tokenizer.

The loss mask of an answer begins where the text of the messages before it with `add_generation_prompt`
ends. If the conversation's text does not begin with that text, what follows the message before the
answer in it must follow that message in the conversation; else the mask begins where the text that
`add_generation_prompt` adds after a question last ends between the message before and the answer, and
without such a place with the first character that comes from the message. It ends with the template's end of a turn, if that follows before the next
message's text, and else with the last character that comes from the message. A call of tools ends with
the last special token of the text of the messages up to it, or else with the first one after that text,
or else with that text. To find these characters the script renders the conversation again with other letters in the message. A
content in parts is joined for a template that does not write the parts of a list in messages of that role,
and becomes one part for a template that writes only the first. A conversation of which the template leaves
out a content (beside tool calls it may, and the system's it may drop), or joins two answers in one turn, is refused.
"""
import copy
import itertools
import json

import chat_ids
import published

utils = published.utils
CALL = "\ue000"

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather", "description": "The weather of a place, \"now\".",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "string", "description": "Name of the place"},
                "unit": {"type": "string", "enum": ["°C", "°F"], "description": "Unit"}},
            "required": ["place"]}}}
ADD = {
    "type": "function",
    "function": {
        "name": "add", "description": "Adds two numbers.",
        "parameters": {
            "type": "object",
            "properties": {
                "a": {"type": "number", "description": "First"},
                "b": {"type": "number", "description": "Second"}},
            "required": ["a", "b"]}}}


def call(name, arguments, number="abcdefgh1"):
    return {"id": number, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(text, name, number="abcdefgh1"):
    return {"role": "tool", "content": text, "name": name, "tool_call_id": number}


def user(text):
    return {"role": "user", "content": text}


def answer(text, **fields):
    return {"role": "assistant", "content": text, **fields}


SYSTEM = {"role": "system", "content": "You help."}
PARIS = [
    user("How warm is it in Paris?"),
    answer("", tool_calls=[call("get_weather", {"place": "Paris", "unit": "°C"})]),
    result("{\"degrees\": 21}", "get_weather"), answer("It is 21 °C.")]
CONVERSATIONS = [
    {"messages": PARIS, "tools": [WEATHER]},
    {"messages": [SYSTEM] + PARIS, "tools": [WEATHER, ADD]},
    {"messages": PARIS + [user("And 2 + 3?"), answer(
        "", tool_calls=[call("add", {"a": 2, "b": 3.5, "note": "x"}, "abcdefgh2")]),
        result("5.5", "add", "abcdefgh2"), answer("5.5")], "tools": [WEATHER, ADD]},
    # No content beside a call, as OpenAI writes it.
    {"messages": [user("Sum?"), answer(None, tool_calls=[call("add", {"a": 1, "s": "b"})])],
     "tools": [ADD]},
    # Text beside a call; two calls with two results.
    {"messages": [user("Both."), answer("I look.", tool_calls=[
        call("get_weather", {"place": "Ulm"}), call("get_weather", {"place": "Bonn"}, "abcdefgh2")]),
        result("1", "get_weather"), result("2", "get_weather", "abcdefgh2"), answer("1 and 2")],
     "tools": [WEATHER]},
    # Without tools; with what the model thinks.
    {"messages": [user("Why?"), answer("So.", reasoning_content="Let me think.\nYes.")]},
    {"messages": [user("Why?"), answer("So.", reasoning="Hm."), user("Really?"), answer("Yes.")]},
    # Arguments as a text.
    {"messages": [user("Sum?"), answer("", tool_calls=[call("add", "{\"a\": 1, \"b\": \"x\"}")]),
                  result("3", "add"), answer("3")], "tools": [ADD]},
    # Ends with the user; ends with a result.
    {"messages": PARIS + [user("Thanks!")], "tools": [WEATHER]},
    {"messages": PARIS[:3], "tools": [WEATHER]},
    {"messages": PARIS, "tools": []},
    # Contents in parts.
    {"messages": [user([{"type": "text", "text": "Hi "}, {"type": "text", "text": "there"}]),
                  answer([{"type": "text", "text": "Hello."}]), user("Bye"), answer("Bye.")]},
    # Markers of templates in texts are plain text, but change nothing in what is written.
    {"messages": [user("{{ x }}"), answer("", tool_calls=[call("f", {"x<b>&": "'\"\\n"})]),
                  result("<tool_call>\n", "f"), answer("</tool_response>")],
     "tools": [{"type": "function", "function": {"name": "f", "description": "日本 <b>", "parameters": {
         "type": "object", "properties": {"x<b>&": {"type": "string", "description": "é"}}}}}]},
]

TEMPLATES = [
    "qwen2_5", "qwen3", "llama3_1", "llama3_2", "deepseekv3", "glm4moe", "gptoss", "gemma3",
    "mistral_v2v3", "mistral_v3_tekken", "command_a_tool_use", "qwen3_training"]
TOKENIZER = {"llama3_1": "llama3", "llama3_2": "llama3", "mistral_v2v3": "llama2"}
published.TEMPLATES |= {
    name: ((published.HERE / "Templates" / f"{name}.jinja").read_text(encoding="utf-8"), bos, end, end)
    for name, bos, end in [
        ("mistral_v2v3", "<s>", "</s>"), ("mistral_v3_tekken", "<s>", "</s>"),
        ("command_a_tool_use", "<BOS_TOKEN>", "<|END_OF_TURN_TOKEN|>"),
        ("gptoss", "<|startoftext|>", "<|return|>")]}
published.SPECIALS.extend(
    ["[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_CALLS]", "[TOOL_RESULTS]",
     "[/TOOL_RESULTS]", "<|observation|>", "<|call|>", "<|channel|>", "<|message|>", "<|start|>",
     "<|return|>", "<|START_ACTION|>", "<|END_ACTION|>", "<|tool_call_start|>", "<|tool_call_end|>",
     "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>", "<｜tool▁call▁begin｜>",
     "<｜tool▁call▁end｜>", "<｜tool▁sep｜>"])


def rendered(name, conversation, prompt=False):
    source, bos, eos, _ = published.TEMPLATES[name]
    tokens = {k: v for k, v in [("bos_token", bos), ("eos_token", eos)] if v}
    messages = utils._normalize_chat_messages(copy.deepcopy(conversation["messages"]))
    try:
        texts, marks = utils.render_jinja_template(
            [messages], tools=conversation.get("tools"), chat_template=source,
            return_assistant_tokens_mask=True, add_generation_prompt=prompt, **tokens)
        return texts[0], marks[0]
    except (utils.jinja2.exceptions.TemplateError, TypeError) as error:
        return f"!{error}", []


def part(text):
    return {"type": "text", "text": text}


def form_of_parts(name, role):
    turn = [user("\ue001\ue002"), answer("\ue001\ue002")]
    probes = {
        "system": [[{**turn[0], "role": "system"}] + turn],
        "tool": [[turn[0], answer(None, tool_calls=[call("x", arguments)]),
                  result("\ue001\ue002", "x"), turn[1]] for arguments in [{"x": "x"}, "x"]]
        + [[turn[0], result("\ue001\ue002", "x"), turn[1]]],
    }.get(role, [turn])
    for own in [False, True]:
        for messages in probes:
            listed = [
                {**m, "content": [part(c) for c in m["content"]]}
                if m["content"] and (m["role"] == role or not own) else m for m in messages]
            index = next(i for i, m in enumerate(messages) if m["role"] == role)
            text = rendered(name, {"messages": listed})[0]
            if text.startswith("!") or "'type'" in text or '"type"' in text:
                continue
            # The parts of other messages have other letters.
            for i, m in enumerate(listed):
                if i != index and m["content"]:
                    m["content"] = [part("x")] if isinstance(m["content"], list) else "x"
            text = rendered(name, {"messages": listed})[0]
            if "\ue001" in text:
                return "list" if "\ue002" in text else "firstPart"
    return "joined"


def passed(conversation, forms):
    """Returns the conversation with its contents in the forms that the template reads."""
    new = copy.deepcopy(conversation)
    for message in new["messages"]:
        if isinstance(message["content"], list):
            text = "".join(part["text"] for part in message["content"])
            message["content"] = {
                "list": message["content"], "firstPart": [part(text)], "joined": text,
            }[forms[message["role"]]]
    return new


def generation_prompt(name, forms):
    question = passed({"messages": [user([part("x")])]}, forms)
    without, text = [rendered(name, question, prompt)[0] for prompt in [False, True]]
    return text[len(without):] if text.startswith(without) and without[:1] != "!" else ""


class Joined(Exception):
    pass


def changed(value, place):
    """Returns `value` with another letter at the first or last place of all its texts."""
    if isinstance(value, str) and value:
        return CALL + value[1:] if place == 0 else value[:-1] + CALL
    if isinstance(value, list):
        return [changed(v, place) for v in value]
    if isinstance(value, dict):
        if value.get("type") == "text":
            return {**value, "text": changed(value["text"], place)}
        return {k: v if k in ("type", "id") else changed(v, place) for k, v in value.items()}
    return value


def places(name, conversation, index, text, prompt):
    """Returns the first character that comes from a message and the place behind its last one."""
    found = []
    for place in [0, -1]:
        other = copy.deepcopy(conversation)
        message = other["messages"][index]
        for key in message:
            if key != "role":
                message[key] = changed(message[key], place)
        marked, _ = rendered(name, other, prompt)
        if len(marked) != len(text) or CALL not in marked:
            return None
        found.append([i for i, (a, b) in enumerate(zip(text, marked)) if a != b])
    return found[0][0], found[1][-1] + 1


def trained(name, conversation, text, prompt, special, added):
    end = published.TEMPLATES[name][3].strip()
    messages = conversation["messages"]
    spans = [places(name, conversation, i, text, prompt) for i in range(len(messages))]
    ranges = []

    def ends(start, stop):
        """Returns the ends of the special tokens in a part of the text."""
        found = [(text.find(s, place), s) for s in special for place in range(start, stop)
                 if text.startswith(s, place)]
        return sorted((place + len(s), s) for place, s in set(found) if place + len(s) <= stop)

    for i, message in enumerate(messages):
        if message["role"] != "assistant" or spans[i] is None:
            continue
        start, stop = spans[i]
        own = rendered(name, {**conversation, "messages": messages[:i + 1]}, False)[0]
        closing = len(own) if message.get("tool_calls") and text.startswith(own) else None
        if closing:
            # A template may write the name of the tool again with its result.
            stop = places(name, {**conversation, "messages": messages[:i + 1]}, i, own, False)[1]
        behind = [s[0] for s in spans[i + 1:] if s and s[0] >= stop]
        found = ends(stop, min(behind, default=len(text)))
        usual = [place for place, s in found if s == end]
        following = [place for place, _ in found] if behind else []
        if closing:
            inside = [place for place, _ in found if place <= closing]
            stop = inside[-1] if inside else following[0] if following else closing
        elif usual or message.get("tool_calls") and following:
            stop = (usual or following)[0]
        content = start
        last_end = max((s[1] for s in spans if s and s[1] <= content), default=0)
        is_found = bool(added) and added in text[last_end:content]
        if is_found:
            start = last_end + text[last_end:content].rindex(added) + len(added)
        before = "!" if i == 0 else rendered(name, {**conversation, "messages": messages[:i]}, True)[0]
        if not before.startswith("!"):
            own = {**conversation, "messages": messages[:i]}
            last = places(name, own, i - 1, before, True)
            if text.startswith(before):
                start = len(before)
            elif last and spans[i - 1]:
                rest = before[last[1]:]
                behind = spans[i - 1][1]
                if text[behind:].startswith(rest):
                    start = behind + len(rest)
                elif not is_found and messages[i - 1]["role"] == "assistant" and behind <= content:
                    closed = rendered(name, own, False)[0]
                    closed_rest = closed[places(name, own, i - 1, closed, False)[1]:]
                    same = zip(text[behind:content], rest)
                    if len(list(itertools.takewhile(lambda p: p[0] == p[1], same))) <= len(closed_rest):
                        raise Joined
        if stop > start:
            ranges.append((start, stop))
    return ranges


def leaves_out(name, conversation, text, prompt, forms):
    """Returns true when the tools, a call, a result or a content have no effect on the text.

    A template may drop a message of the system, unless it does because it reads lists of parts alone."""
    def is_same(change):
        other = copy.deepcopy(conversation)
        change(other)
        return rendered(name, other, prompt)[0] == text

    if conversation.get("tools") and is_same(
            lambda c: c.update(tools=changed(c["tools"], 0))):
        return True
    for i, message in enumerate(conversation["messages"]):
        is_text = isinstance(message.get("content"), str)
        if message["role"] == "system" and not (is_text and forms["system"] != "joined"):
            continue
        for key in ["tool_calls"] + ["content"] * (not message.get("tool_calls")):
            if message.get(key) and str(message[key]).strip() and is_same(lambda c: c["messages"][i].update(
                    {key: changed(message[key], 0)})):
                return True
    return False


def merged(ranges):
    new = []
    for start, stop in ranges:
        if new and new[-1][1] == start:
            start = new.pop()[0]
        new.append((start, stop))
    return new


def digest(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & published.MASK
    return f"{value:016x}"


def write(file, names, conversations):
    entries = []
    for name in names:
        cases = []
        tokenizer, new = chat_ids.opened(TOKENIZER.get(name, "qwen"), name)
        special = [t.content for t in tokenizer.get_added_tokens_decoder().values() if t.special]
        forms = {role: form_of_parts(name, role) for role in ["system", "user", "assistant", "tool"]}
        added = generation_prompt(name, forms)
        source = published.TEMPLATES[name][0]
        for conversation in conversations:
            own = passed(conversation, forms)
            for prompt in [False, True]:
                text, marks = rendered(name, own, prompt)
                if text.startswith("!"):
                    cases.append({"refused": text[1:]})
                    continue
                if leaves_out(name, own, text, prompt, forms):
                    cases.append({"refused": "leaves out"})
                    continue
                if "{%- generation" in source or "{% generation" in source:
                    ranges = merged((a, b) for a, b in marks if b > a)
                else:
                    try:
                        ranges = merged(trained(name, own, text, prompt, special, added))
                    except Joined:
                        cases.append({"refused": "joins"})
                        continue
                ids, mask = chat_ids.encoded(tokenizer, text, ranges)
                cases.append({
                    "text": digest(text), "trained": ranges,
                    "ids": digest(" ".join(f"{i}{'+' if m else ''}" for i, m in zip(ids, mask)))})
        _, bos, eos, _ = published.TEMPLATES[name]
        entries.append({
            "template": name, "tokenizer": TOKENIZER.get(name, "qwen"), "bos": bos, "eos": eos,
            "new": new, "strips": chat_ids.STRIPS.get(name, (False, False)), "cases": cases})
        if not (published.HERE / "Templates" / f"{name}.jinja").exists():
            entries[-1]["source"] = source
        print(name, forms, sum("refused" in c for c in cases))
    lines = ",\n".join(
        json.dumps(e, ensure_ascii=False, separators=(",", ":")) for e in entries)
    talks = ",\n".join(
        json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in conversations)
    (published.HERE / file).write_text(
        '{"conversations": [\n' + talks + '\n],\n"templates": [\n' + lines + "\n]}\n",
        encoding="utf-8")


if __name__ == "__main__":
    write("tools.json", TEMPLATES, CONVERSATIONS)
