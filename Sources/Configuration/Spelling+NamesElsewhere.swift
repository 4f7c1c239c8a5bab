extension Spelling {
  /// Returns the key, of any phase, that other trainers call `written`, or its last component.
  package static func key(elsewhereCalled written: String) -> String? {
    let names = [written[...], lastWord(written)].map { String(plain($0)) }
    return namesElsewhere.first { $0.value.contains(where: names.contains) }?.key
  }

  /// Returns a clause on what other trainers' key `written` is here, where that is not a key.
  static func remark(on written: String) -> String? {
    let name = String(plain(lastWord(written)))
    return remarks.first { $0.key.contains(name) }?.value
  }

  /// Clauses on keys of other trainers that have no counterpart, by their names, in lower case and
  /// without `_`.
  private static let remarks: [[String]: String] = [
    ["packing", "samplepacking"]:
      "texts and conversations are always packed into the rows that batch.sequences counts",
    ["assistantonlyloss", "completiononlyloss", "trainoninputs", "trainonprompt"]:
      "the loss of conversations is always that of the answers alone",
    ["threads", "nthreads", "numthreads", "numworkers", "dataloadernumworkers"]:
      "it is the option --threads of the command",
  ]

  /// The names that PyTorch and Hugging Face's trainers give to keys, in lower case and without `_`;
  /// with a section where the name alone has several meanings.
  static let namesElsewhere = [
    "optimizer.learningRate": ["lr", "maxlr", "peaklr"],
    "optimizer.clip": [
      "maxgradnorm", "gradclip", "clipnorm", "clipgradnorm", "gradientclipping", "clipgrad",
    ],
    "optimizer.name": ["optim"],
    "optimizer.betas": ["adambeta1", "adambeta2", "beta1", "beta2", "adambetas"],
    "optimizer.epsilon": ["adamepsilon", "eps", "adameps"],
    "optimizer.weightDecay": ["wd"],
    "seed": ["dataseed", "randomseed"],
    "steps": ["maxsteps", "numsteps", "trainsteps", "maxiters", "iterations"],
    "epochs": ["numtrainepochs", "numepochs", "maxepochs", "trainepochs"],
    "earlyStopping.patience": ["earlystoppingpatience"],
    "batch.sequences": [
      "batchsize", "perdevicetrainbatchsize", "trainbatchsize", "microbatchsize",
    ],
    "batch.microBatches": ["gradientaccumulationsteps", "gradientaccumulation"],
    "schedule.warmup": ["warmupsteps", "warmupiters", "warmupratio"],
    "schedule.final": ["minlr", "minlrratio"],
    "schedule.name": ["lrschedulertype", "lrscheduler", "scheduler"],
    "evaluate.every": ["evalsteps", "evaliters", "evalinterval", "evalstrategy", "evalevery"],
    "checkpoint.every": ["savesteps", "saveinterval", "savestrategy", "saveevery"],
    "checkpoint.keep": ["savetotallimit"],
    "checkpoint.keepBest": ["loadbestmodelatend"],
    "log.every": ["loggingsteps", "loginterval"],
    "run": ["outputdir"],
    "precision": ["bf16", "fp16", "dtype", "torchdtype"],
    "recompute": ["gradientcheckpointing"],
    "data.train": ["dataset", "datasetname", "trainfile", "traindata", "datapath", "data.path"],
    "data.validation": ["validationfile", "evaldataset", "valfile", "valsetsize", "testsize"],
    "data.textField": ["datasettextfield", "textcolumn"],
    "data.template": ["chattemplate", "chattemplatepath"],
    "model.from": ["modelnameorpath", "basemodel", "pretrained", "model.path", "model.name"],
    "model.context": [
      "maxseqlength", "seqlength", "seqlen", "sequencelen", "blocksize", "maxlength", "nctx",
      "maxpositionembeddings", "cutofflen",
    ],
    "model.width": ["hiddensize", "dmodel", "nembd", "dim"],
    "model.layers": ["numhiddenlayers", "numlayers", "nlayer", "nlayers"],
    "model.heads": ["numattentionheads", "numheads", "nhead", "nheads"],
    "model.kvHeads": ["numkeyvalueheads", "nkvheads"],
    "model.hidden": ["intermediatesize", "dff", "ffndim"],
    "model.vocabulary": ["vocabsize", "nvocab"],
    "mask.rate": ["mlmprobability"],
    "lora.rank": ["r", "lorar"],
    "lora.alpha": ["loraalpha"],
    "lora.dropout": ["loradropout"],
    "lora.targets": ["targetmodules", "loratargetmodules", "loratarget"],
    "lora.modulesToSave": ["modulestosave"],
    "task": ["tasktype", "problemtype"],
    "dpo.beta": ["beta"],
    "dpo.loss": ["losstype"],
    "dpo.labelSmoothing": ["labelsmoothing", "labelsmoothingfactor"],
    "kl.coefficient": ["klcoef", "initklcoef", "klpenalty"],
    "policy.clip": ["cliprange", "clipratio"],
    "policy.epochs": ["numppoepochs", "ppoepochs"],
    "policy.valueWeight": ["vfcoef"],
    "policy.valueClip": ["cliprangevalue"],
    "policy.discount": ["gamma"],
    "policy.lambda": ["lam", "gaelambda"],
    "rollouts.samples": ["numgenerations", "rlook"],
    "rollouts.tokens": ["maxcompletionlength", "maxnewtokens", "responselength"],
    "reward.model": ["rewardmodelpath"],
    "reward.command": ["rewardfuncs"],
  ]
}
