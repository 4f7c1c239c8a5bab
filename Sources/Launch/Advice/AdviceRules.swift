// The table of recommendations: data, each with its reason and source. The bounds are orders of
// magnitude from the experiments named, not laws; the tests require that every objective has exactly
// one rule for every number of examples.

extension AdviceRule {
  /// The rules, by objective and number of examples.
  package static let all: [AdviceRule] = [
    .init(
      objective: .classify, examples: 0..<64, start: .asItIs,
      command: "apus embed, and the label of the most similar example", family: .encoder,
      largest: 150_000_000, epochs: 0,
      reason: "with fewer than about eight examples a class, the nearest neighbours of a sentence "
        + "encoder are as good as a fine-tuned classifier, which overfits",
      source: "Tunstall et al., Efficient Few-Shot Learning Without Prompts (SetFit), 2022"),
    .init(
      objective: .classify, examples: 64..<1000, start: .fineTune,
      command:
        "apus finetune run.yaml --set task=classification --set epochs=20, with several seeds",
      family: .encoder,
      largest: 150_000_000, epochs: 20,
      reason: "with less than a thousand examples fine-tuning varies with the seed; long training "
        + "at a small rate steadies it, and larger encoders fail more often",
      source: "Mosbach et al., On the Stability of Fine-tuning BERT, 2021"),
    .init(
      objective: .classify, examples: 1000..<50_000, start: .fineTune,
      command: "apus finetune run.yaml --set task=classification --set epochs=3", family: .encoder,
      largest: 400_000_000, epochs: 3,
      reason: "an encoder that reads in both directions, fine-tuned for three epochs, is the "
        + "established answer at this size",
      source: "Devlin et al., BERT, 2019, section 4"),
    .init(
      objective: .classify, examples: 50_000..<Int.max, start: .continuePretraining,
      command: "apus pretrain run.yaml with model.from, then apus finetune run.yaml "
        + "--set task=classification --set epochs=2",
      family: .encoder, largest: 400_000_000, epochs: 3,
      reason: "with so much text of the domain, pretraining on it first helps also where labels "
        + "are many",
      source: "Gururangan et al., Don't Stop Pretraining, 2020"),

    .init(
      objective: .embed, examples: 0..<100_000, start: .asItIs, command: "apus embed",
      family: .encoder, largest: 150_000_000, epochs: 0,
      reason: "published sentence encoders were trained on a billion pairs, which so few texts "
        + "cannot improve; apus does not train on pairs of sentences itself",
      source: "Reimers and Gurevych, Sentence-BERT, 2019; Muennighoff et al., MTEB, 2023"),
    .init(
      objective: .embed, examples: 100_000..<Int.max, start: .continuePretraining,
      command: "apus pretrain run.yaml with model.from and mask.rate, then apus embed",
      family: .encoder,
      largest: 150_000_000, epochs: 1,
      reason: "masked language modelling on the domain's texts helps where its words are not those "
        + "of the web; compare with the model as it is, which may remain better",
      source: "Wang et al., TSDAE, 2021, for adaptation before supervised training"),

    .init(
      objective: .transform, examples: 0..<100, start: .asItIs, command: "apus generate",
      family: .encoderDecoder, largest: 800_000_000, epochs: 0,
      reason: "a hundred pairs show a style at most; a model that was trained for the task "
        + "knows more",
      source: "Raffel et al., Exploring the Limits of Transfer Learning (T5), 2020"),
    .init(
      objective: .transform, examples: 100..<10_000, start: .adapt,
      command: "apus finetune run.yaml --set task=chat --set lora.rank=16", family: .encoderDecoder,
      largest: 800_000_000, epochs: 5,
      reason: "adapters learn the form of the task and forget less than full training on few pairs",
      source: "Hu et al., LoRA, 2021; Biderman et al., LoRA Learns Less and Forgets Less, 2024"),
    .init(
      objective: .transform, examples: 10_000..<5_000_000, start: .fineTune,
      command: "apus finetune run.yaml --set task=chat --set epochs=3", family: .encoderDecoder,
      largest: 800_000_000, epochs: 3,
      reason: "an encoder reads the whole source before the first word; fine-tuned T5 was the best "
        + "on tasks of this size",
      source: "Raffel et al., Exploring the Limits of Transfer Learning (T5), 2020, section 3.5"),
    .init(
      objective: .transform, examples: 5_000_000..<Int.max, start: .fineTune,
      command: "apus finetune run.yaml --set task=chat --set epochs=1", family: .encoderDecoder,
      largest: 800_000_000, epochs: 1,
      reason: "from some millions of sentence pairs a model from scratch begins to be as good, and "
        + "the published one still starts ahead",
      source: "Koehn and Knowles, Six Challenges for Neural Machine Translation, 2017, section 3.2"),

    .init(
      objective: .generate, examples: 0..<50, start: .asItIs,
      command: "apus generate, with the examples in the prompt", family: .decoder,
      largest: 8_000_000_000, epochs: 0,
      reason: "examples in the prompt do as much as training on so few",
      source: "Brown et al., Language Models are Few-Shot Learners (GPT-3), 2020"),
    .init(
      objective: .generate, examples: 50..<1000, start: .adapt,
      command: "apus finetune run.yaml --set task=chat --set lora.rank=16", family: .decoder,
      largest: 3_500_000_000,
      epochs: 3,
      reason: "a few hundred good examples teach form and tone, not facts; for facts give the "
        + "model the documents with the prompt",
      source: "Zhou et al., LIMA, 2023; Ovadia et al., Fine-Tuning or Retrieval?, 2024"),
    .init(
      objective: .generate, examples: 1000..<200_000, start: .fineTune,
      command: "apus finetune run.yaml --set task=chat --set epochs=3", family: .decoder,
      largest: 3_500_000_000,
      epochs: 3,
      reason: "a thousand curated examples suffice for the style of an assistant, and full "
        + "fine-tuning learns more of a new domain than adapters do",
      source: "Zhou et al., LIMA, 2023; Biderman et al., LoRA Learns Less and Forgets Less, 2024"),
    .init(
      objective: .generate, examples: 200_000..<Int.max, start: .continuePretraining,
      command:
        "apus pretrain run.yaml with model.from and data.replay, then apus finetune run.yaml "
        + "--set task=chat",
      family: .decoder, largest: 3_500_000_000, epochs: 1,
      reason: "much text of a domain is learned by going on with pretraining, with some of the old "
        + "texts among it against forgetting",
      source: "Ibrahim et al., Simple and Scalable Strategies to Continually Pre-train, 2024"),

    .init(
      objective: .extract, examples: 0..<50, start: .asItIs,
      command:
        "apus generate with the wanted form in the prompt; apus annotate to collect examples",
      family: .decoder, largest: 8_000_000_000, epochs: 0,
      reason: "fifty sentences do not cover the ways in which a kind of span appears",
      source: "Brown et al., Language Models are Few-Shot Learners (GPT-3), 2020"),
    .init(
      objective: .extract, examples: 50..<1000, start: .fineTune,
      command: "apus finetune run.yaml --set task=tokens --set epochs=20, with several seeds",
      family: .encoder,
      largest: 150_000_000, epochs: 20,
      reason: "a sentence labels every one of its tokens, so a few hundred suffice to begin; "
        + "results vary with the seed",
      source: "Mosbach et al., On the Stability of Fine-tuning BERT, 2021"),
    .init(
      objective: .extract, examples: 1000..<100_000, start: .fineTune,
      command: "apus finetune run.yaml --set task=tokens --set epochs=4", family: .encoder,
      largest: 400_000_000,
      epochs: 4,
      reason: "a token classifier on an encoder is the established answer; CoNLL-2003 has 14,000 "
        + "sentences",
      source: "Devlin et al., BERT, 2019, section 5.3"),
    .init(
      objective: .extract, examples: 100_000..<Int.max, start: .continuePretraining,
      command: "apus pretrain run.yaml with model.from, then apus finetune run.yaml "
        + "--set task=tokens --set epochs=2",
      family: .encoder, largest: 400_000_000, epochs: 3,
      reason: "with so much text of the domain, pretraining on it first helps",
      source: "Gururangan et al., Don't Stop Pretraining, 2020; Lee et al., BioBERT, 2019"),
  ]

  /// Tokens per parameter below which training from scratch wastes parameters, or tokens.
  ///
  /// Source: Hoffmann et al., Training Compute-Optimal Large Language Models (Chinchilla), 2022.
  package static let tokensPerParameter = 20.0
  /// Passes over the same text that teach nearly as much as new text.
  ///
  /// Source: Muennighoff et al., Scaling Data-Constrained Language Models, 2023.
  package static let repetitions = 4.0
}

extension CandidateModel {
  /// Published sizes, from small to large.
  package static let all: [CandidateModel] = [
    .init(family: .encoder, parameters: 4_400_000, names: "google/bert_uncased_L-2_H-128_A-2"),
    .init(
      family: .encoder, parameters: 22_700_000,
      names: "sentence-transformers/all-MiniLM-L6-v2, google/bert_uncased_L-4_H-512_A-8"),
    .init(family: .encoder, parameters: 110_000_000, names: "bert-base-uncased"),
    .init(family: .encoder, parameters: 335_000_000, names: "bert-large-uncased"),
    .init(family: .encoderDecoder, parameters: 60_500_000, names: "t5-small"),
    .init(family: .encoderDecoder, parameters: 223_000_000, names: "t5-base"),
    .init(family: .encoderDecoder, parameters: 738_000_000, names: "t5-large"),
    .init(family: .decoder, parameters: 135_000_000, names: "HuggingFaceTB/SmolLM2-135M"),
    .init(family: .decoder, parameters: 362_000_000, names: "HuggingFaceTB/SmolLM2-360M"),
    .init(family: .decoder, parameters: 1_240_000_000, names: "meta-llama/Llama-3.2-1B"),
    .init(family: .decoder, parameters: 3_210_000_000, names: "meta-llama/Llama-3.2-3B"),
    .init(family: .decoder, parameters: 8_030_000_000, names: "meta-llama/Llama-3.1-8B"),
  ]
}
