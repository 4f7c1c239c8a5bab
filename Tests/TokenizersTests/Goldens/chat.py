"""Goldens of the chat templates: the output of transformers for the Jinja that Apus writes.

Made with Python 3.11.7, transformers 5.23.0 and tokenizers 0.23.3:
    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install transformers==5.23.0 tokenizers==0.23.3
    /tmp/venv/bin/python chat.py
Reads templates.json (the Jinja, which a test compares with what Apus writes) and tokenizer.json,
opens them as a folder, and writes chat.json beside itself: conversations with their text, and their
ids where the tokenizer has the template's markers as special tokens.
"""
import json
import pathlib
import tempfile

from transformers import AutoTokenizer

HERE = pathlib.Path(__file__).parent
END = "<|endoftext|>"
MARKERS = {
    "chatml": ["<|im_start|>", "<|im_end|>"],
    "llama3": ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    "plain": [],
}
CONVERSATIONS = [
    [("user", "Where is the swift?"), ("assistant", "In the air.")],
    [
        ("system", "You know birds."),
        ("user", "two owls and 12 gulls"),
        ("assistant", "They couldn't see Björn.\n\nThey'll return in 2041."),
        ("user", "陽子 👩\u200d👧?"),
        ("assistant", "It's late…"),
    ],
    [("user", " spaces \n"), ("assistant", "\n\tand lines\n\n")],
    [("user", "{{ messages }} {% if %} 'quoted' \"twice\" \\n"), ("assistant", "<b>&amp;</b>")],
    [("system", ""), ("user", ""), ("assistant", "something")],
    [("user", "a question without an answer")],
]


def tokenizer(template, jinja, with_markers, folder):
    document = json.loads((HERE / "tokenizer.json").read_text(encoding="utf-8"))
    first = len(document["model"]["vocab"])
    for i, marker in enumerate(MARKERS[template] if with_markers else []):
        document["added_tokens"].append({
            "id": first + i, "content": marker, "single_word": False, "lstrip": False,
            "rstrip": False, "normalized": False, "special": True})
    (folder / "tokenizer.json").write_text(json.dumps(document), encoding="utf-8")
    configuration = {
        "add_prefix_space": False, "bos_token": END, "chat_template": jinja,
        "clean_up_tokenization_spaces": False, "eos_token": END,
        "tokenizer_class": "PreTrainedTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(configuration), encoding="utf-8")
    return AutoTokenizer.from_pretrained(folder)


def main():
    templates = json.loads((HERE / "templates.json").read_text(encoding="utf-8"))
    cases = []
    for name, texts in templates.items():
        for variant, jinja in texts.items():
            with tempfile.TemporaryDirectory() as folder:
                opened = tokenizer(name, jinja, variant == "marker", pathlib.Path(folder))
            for conversation in CONVERSATIONS:
                messages = [{"role": role, "content": content} for role, content in conversation]
                for prompt in [False, True]:
                    text = opened.apply_chat_template(
                        messages, tokenize=False, add_generation_prompt=prompt)
                    case = {
                        "template": name, "variant": variant, "messages": messages,
                        "addGenerationPrompt": prompt, "text": text}
                    # White space at an edge of a content may merge with the template text beside it.
                    edges = any(content != content.strip() for _, content in conversation)
                    if (variant == "marker" or name == "plain") and not edges:
                        case["ids"] = opened(text, add_special_tokens=False)["input_ids"]
                    cases.append(case)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "chat.json").write_text("[\n" + lines + "\n]\n", encoding="utf-8")


main()
