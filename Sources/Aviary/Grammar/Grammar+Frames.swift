extension Grammar {
  // The sentences that fit every problem. Sentences about both characters, or about the protagonist
  // alone, list the outcomes with or without a companion.
  static let frames = """
    introduction: once there was a {+trait} {+kind} named {+hero}.
    introduction: {+hero} was a {+trait} {+kind}.
    introduction: {+hero} was a {+trait} {+kind} who lived in a {+home}.
    introduction: long ago, a {+trait} {+kind} called {+hero} lived in a {+home}.
    introduction: this is the story of {+hero}, a {+trait} {+kind}.
    introduction: there once was a {+kind} named {+hero} who was very {+trait}.
    introduction: {+hero} the {+kind} was always {+trait}.
    introduction: a {+trait} {+kind} lived in a {+home}, and {his} name was {+hero}.
    introduction+possession: once there was a {+trait} {+kind} named {+hero} who had a {+colour} {+object}.
    introduction+possession: {+hero} was a {+trait} {+kind} with a {+colour} {+object}.
    introduction+possession: {+hero} the {+kind} loved {his} {+colour} {+object}.
    introduction+possession: a {+trait} {+kind} called {+hero} had a {+colour} {+object} from {his} {+giver}.
    introduction+possession: this is the story of a {+trait} {+kind} named {+hero} and {his} {+colour} {+object}.
    possession: {he} had a {+colour} {+object}.
    possession: {he} had a {+colour} {+object} from {his} {+giver}.
    possession: {his} {+giver} had given {him} a {+colour} {+object}.
    possession: what {hero} loved most was {his} {+colour} {+object}.
    possession: {he} liked to {use} {his} {+colour} {+object}.
    possession: {hero} always had a {+colour} {+object} with {him}.
    possession: for {his} birthday, {he} got a {+colour} {+object} from {his} {+giver}.
    day: one {+weather} {+time}, {hero} went to {+place}.
    day: one {+weather} {+time}, {hero} was {+at}.
    day: on a {+weather} {+time}, {he} walked to {+place}.
    day: it was a {+weather} {+time}, and {hero} was {+at}.
    day: {hero} came to {+place} on a {+weather} {+time}.
    day: it was {+weather} that {+time} when {hero} came to {+place}.
    day: one {+weather} {+time}, {hero} took {his} {colour} {object} to {+place}.
    day: one {+weather} {+time}, {he} wanted to {use} the {object} {+at}.
    meeting: there {he} met {his} friend {+friend}, a {+friend.trait} {+friend.kind}.
    meeting: {his} friend {+friend}, a {+friend.trait} {+friend.kind}, came too.
    meeting: {+friend} the {+friend.kind} was there as well.
    meeting: a {+friend.trait} {+friend.kind} named {+friend} was already there.
    meeting: {he} saw {his} old friend {+friend}, a {+friend.kind}.
    meeting: a {+friend.kind} called {+friend} said, "Good day, {hero}."
    meeting: {+friend} the {+friend.kind} said, "I am {+friend.trait}, but I would like to be your friend."
    day+meeting: one {+weather} {+time}, {hero} met {his} friend {+friend}, a {+friend.kind}, {+at}.
    day+meeting: on a {+weather} {+time}, {hero} and {+friend} the {+friend.kind} went to {+place}.
    day+meeting: one {+weather} {+time}, {he} went to {+place} with a {+friend.trait} {+friend.kind} named {+friend}.
    day+meeting: it was a {+weather} {+time}, and {hero} met a {+friend.kind} called {+friend} {+at}.
    travel managed failed: then {hero} went on from {place} to {>place}.
    travel managed failed: after a while, {he} left {place} and walked to {>place}.
    travel helped consoled: then {hero} and {friend} went on from {place} to {>place}.
    travel helped consoled: they left {place} and walked to {>place} together.
    travel helped consoled: {friend} took {hero} from {place} to {>place}.
    problem: {problem}.
    problem: suddenly, {problem}.
    problem: but then {problem}.
    problem: soon, {problem}.
    problem: before long, {problem}.
    problem: {at}, {problem}.
    day+problem: one {+weather} {+time} {+at}, {problem}.
    day+problem: it was a {+weather} {+time} {+at} when {problem}.
    day+problem: on a {+weather} {+time} {+at}, {problem}.
    day+meeting+problem: one {+weather} {+time}, {hero} and {+friend} the {+friend.kind} were {+at} when {problem}.
    day+meeting+problem: on a {+weather} {+time}, {he} was {+at} with {his} friend {+friend}, a {+friend.kind}, when {problem}.
    event: {event}.
    event: then {event}.
    event: after a while, {event}.
    event helped managed: luckily, {event}.
    event helped managed: at last, {event}.
    event failed consoled: sadly, {event}.
    event failed consoled: but {event}.
    event: as {weather.scene}, {event}.
    ending: {ending}.
    ending: in the end, {ending}.
    ending: so {ending}.
    ending: that {weather} {time}, {ending}.
    ending: while {weather.scene}, {ending}.
    ending: before leaving {place}, {ending}.
    ending: when it was time to leave {place}, {ending}.
    ending: as {weather.scene} {at}, {ending}.
    ending managed failed: {ending}, and {he} always remembered that {weather} {time} {at}.
    ending helped consoled: {ending}, and they always remembered that {weather} {time} {at}.
    ending: {ending}, and nobody {at} forgot that {weather} {time}.
    ending helped: {ending}, and they walked home from {place} {weather.in}.
    ending managed: {ending}, and {he} walked home from {place} {weather.in}.
    ending consoled: {ending}, and the two sat {at} {weather.in} for a while.
    ending failed: {ending}, and {he} sat {at} {weather.in} for a while.
    event+ending: {at}, while {weather.scene}, {event}, so {ending}.
    event+ending: before that {weather} {time} {at} was over, {event}, and {ending}.
    event+ending helped managed: luckily, as {weather.scene} {at}, {event}, and {ending}.
    event+ending failed consoled: sadly, as {weather.scene} {at}, {event}, so {ending}.
    event+ending: that {weather} {time}, {event}, so {ending}.
    event+ending: as {weather.scene} {at}, {event}, and {ending}.
    event+ending: {at}, {event}, and {ending} while {weather.scene}.
    event+ending: at the end of that {weather} {time} {at}, {event}, so {ending}.
    """
}
