"""Goldens of conversations whose roles do not take turns, and of contents in parts.

Made with Python 3.11.7, transformers 5.24.0, tokenizers 0.23.3 and jinja2 3.1.6:
    /tmp/venv/bin/python orders.py [FOLDER]
Reads tools.py and published.py beside this file and the templates in Templates/, of which smolvlm,
smolvlm_training, llava_next, qwen2_5_vl and deepseek_r1_distill are from the wheel trl 1.16.0 (Apache-2.0).
With FOLDER, all templates in it (*.jinja) are added; the results of TRL's have been compared.
Writes orders.json in the form of tools.json.
"""
import pathlib
import re
import sys

import published
import tools
from tools import answer, call, part, result, user


def system(text):
    return {"role": "system", "content": text}


S, T, U, V = system("Be brief."), system("Be kind."), user("Where?"), user("When?")
A, B, C = answer("In the air."), answer("At night."), answer("Always.")
R = result("21", "f")
CALL = answer("", tool_calls=[call("f", {"x": 1})])
PARTS = [part("Hi"), part(", you")]
CONVERSATIONS = [{"messages": messages} for messages in [
    [A], [A, U], [A, U, B], [S, A], [S, A, U, B], [U, V, A], [U, A, B], [U, A, B, V, C], [U, A, B, C],
    [U, S, A], [U, A, S, V, B], [S, T, U, A], [U, A, S], [U, R, A], [R, A], [S], [S, U, V, A, B],
    [user(PARTS), answer([part("Hello"), part(", friend.")])],
    [system(PARTS), user(PARTS), answer([part("Hello.")]), U, B],
    [user([part("Where?")]), answer([part("In the air.")]), user(PARTS)],
    [user(PARTS), CALL, result(PARTS, "f"), answer([part("So.")])],
    [answer([part("Hello.")]), user([part("Where?")]), answer([part("In the air.")])],
]]
NEW = {
    "smolvlm": (None, "<end_of_utterance>", "<end_of_utterance>"),
    "smolvlm_training": (None, "<end_of_utterance>", "<end_of_utterance>"),
    "llava_next": ("<s>", "</s>", "</s>"),
    "qwen2_5_vl": (None, "<|im_end|>", "<|im_end|>"),
    "deepseek_r1_distill": ("<s>", "</s>", "<｜end▁of▁sentence｜>"),
}
NAMES = ["qwen3", "qwen3_training", "qwen2_5", "llama3_1", "llama3_training", "gemma3", "glm4moe", "gptoss",
         "cohere", "deepseekv3", "lfm2", "phi3", "llama2", "zephyr", "olmo2", "smollm2"]


def add(name, source, bos, eos, end):
    published.TEMPLATES[name] = (source, bos, eos, end)


def main():
    for name, tokens in NEW.items():
        add(name, (published.HERE / "Templates" / f"{name}.jinja").read_text(encoding="utf-8"), *tokens)
    names = list(NEW) + NAMES
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jinja")) if len(sys.argv) > 1 else []:
        name = f"all_{path.stem}"
        add(name, path.read_text(encoding="utf-8"), "<s>", "</s>", "</s>")
        forms = {role: tools.form_of_parts(name, role) for role in ["user", "assistant"]}
        turn = tools.passed({"messages": [user([part("x")]), answer([part("\ue003")])] * 2}, forms)
        text = tools.rendered(name, turn)[0]
        specials = re.findall(r"<[^<>\s]+>|\[/?[A-Z_]+\]", text)
        behind = [s for s in re.findall(r"<[^<>\s]+>|\[/?[A-Z_]+\]", text.rpartition("\ue003")[2])]
        between = re.findall(r"<[^<>\s]+>", text.partition("\ue003")[2].partition("\ue003")[0])
        add(name, published.TEMPLATES[name][0], "<s>", "</s>", (behind or between or ["</s>"])[0])
        published.SPECIALS.extend(s for s in specials if s not in published.SPECIALS and "think" not in s)
        names.append(name)
    tools.write("orders.json", names, CONVERSATIONS)


if __name__ == "__main__":
    main()
