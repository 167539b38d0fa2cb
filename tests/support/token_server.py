"""An OpenAI-compatible stand-in whose tokens are counted by a tokenizer that Plot Palette knows nothing of: a byte-level
BPE, trained here. It keeps its own books of what it would bill, in whole pico-dollars, also for answers that never
arrived. (plot-palette-sim counts by a rule of bytes; this one counts as real models do.)

    with TokenServer(Tokens(seed=1)) as server:
        job = server.open(ServerPlan(prices={"a": Prices(250_000, 1_000_000, 250_000)}, ...))
        ...                                    # a client calls job.url
        job.settle()                           # every request that was sent has been read and billed
        assert job.ledger.billed_pico <= budget_pico
        job.close()

One event loop in a thread of its own; each job has a port of its own, so that its books are its own.
"""
import asyncio
import collections
import dataclasses
import json
import os
import random
import threading

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # it would complain about every child process

import tokenizers  # noqa: E402

SETTLE_S_MAX = 30
HEAD_BYTES_MAX = 64 * 1024

# What Plot Palette may assume of any model (src/model/call_bound.h): a byte-level token covers a byte or more, and so
# many tokens stand around a message and around a request at most.
TOKENS_AROUND_MESSAGE_MAX = 16
TOKENS_AROUND_REQUEST_MAX = 64

ENGLISH = """the of and to in is that for it as was with be by on not he his but at are this have from or had an they which
one you were her all their there would we him been has when who will more no if out so said what up its about into than them
can only other new some could time these two may then do first any my now such like our over man me even most made after also
did many before must through back years where much your way well down should because each just those people how too little
state good very make world still own see men work long get here between both life being under never day same another know
while last might us great old year off come since against go came right used take three question answer describe explain
kitchen harbour mountain instrument government philosophy unbelievable international responsibilities""".split()
CHINESE = "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从"
JAPANESE = "これはとても長い文章ですがそのままの形で翻訳してください東京大阪京都日本語問題回答説明"
KOREAN = "한국어로질문을작성하고대답을설명하세요서울부산사람시간세계문제"
EMOJI = ["😀", "😂", "🎉", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇯🇵", "❤️", "🔥", "🧑‍🚀", "✨", "🥑", "1️⃣", "🫠"]
CODE = ["def {0}({1}):\n    return {1} + {2}\n", "for (int {0} = 0; {0} < {2}; ++{0}) sum += {1}[{0}];\n", "SELECT {0}, {1} FROM t WHERE id = {2};\n",
        "if {0} != {2}:\n\traise ValueError('{1}')\n", "std::vector<int> {0} = { {2}, {1}.size() };\n", "  \"{0}\": [\"{1}\", {2}],\n",
        "#include <{0}>\n// {1} {2}\n", "<div class='{0}'>&nbsp;{1}</div>\r\n"]
KINDS = ("english", "cjk", "emoji", "code", "rare")


def random_text(kind, draw, length):
    """About `length` characters. `rare`: characters that no training has seen, each a token for every byte."""
    if kind == "english":
        return " ".join(draw.choices(ENGLISH, k=length // 5 + 1)).capitalize() + "."
    if kind == "cjk":
        letters = draw.choice([CHINESE, JAPANESE, KOREAN, CHINESE + JAPANESE])
        return "".join(draw.choices(letters, k=length)) + "。"
    if kind == "emoji":
        return "".join(draw.choice(EMOJI) + draw.choice(["", "", " ", "!"]) for _ in range(length // 3 + 1))
    if kind == "rare":
        ranges = draw.choice([(0x4E00, 0x9FFF), (0x13000, 0x1342F), (0x1F300, 0x1F9FF), (0x0400, 0x058F)])
        return "".join(chr(draw.randint(*ranges)) for _ in range(length))
    lines = []
    while sum(map(len, lines)) < length:
        line = draw.choice(CODE)
        for place, word in enumerate([draw.choice(ENGLISH), draw.choice(ENGLISH), str(draw.randint(0, 9999))]):
            line = line.replace("{%d}" % place, word)
        lines.append(line)
    return "".join(lines)


class Tokens:
    """A byte-level BPE of about 3,000 tokens, and answers of every kind that are cut by it."""

    ANSWERS_A_KIND = 60
    ANSWER_CHARACTERS = 1500

    def __init__(self, seed):
        draw = random.Random(f"{seed}/training")
        self.bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
        self.bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
        self.bpe.decoder = tokenizers.decoders.ByteLevel()
        trainer = tokenizers.trainers.BpeTrainer(vocab_size=3000, show_progress=False,
                                                 initial_alphabet=tokenizers.pre_tokenizers.ByteLevel.alphabet())
        known = [kind for kind in KINDS if kind != "rare"]
        self.bpe.train_from_iterator((random_text(kind, draw, 400) for kind in known for _ in range(200)), trainer)
        self.answers = {kind: [self.bpe.encode(random_text(kind, draw, self.ANSWER_CHARACTERS)).ids
                               for _ in range(self.ANSWERS_A_KIND)] for kind in KINDS}

    def count(self, text):
        return len(self.bpe.encode(text).ids)

    def answer(self, draw, tokens):
        """A text of so many tokens, cut wherever that is: in the middle of a character too."""
        ids = draw.choice(self.answers[draw.choice(KINDS)])
        start = draw.randrange(len(ids))
        ids = (ids[start:] + ids * (tokens // len(ids) + 1))[:tokens]
        return self.bpe.decode(ids)


@dataclasses.dataclass(frozen=True)
class Prices:
    """Pico-dollars a token."""
    input: int
    output: int
    cached: int  # input that the server had in its cache


# What can go wrong with a call. `billed`: the work was done; `known`: the caller is told exactly what it cost, else it
# can only assume the most.
Fault = collections.namedtuple("Fault", "billed known")
FAULTS = {
    "throttle": Fault(False, True), "throttle_wait": Fault(False, True), "500": Fault(False, True), "503": Fault(False, True),
    "502": Fault(True, False), "504_idle": Fault(False, False), "cut_before": Fault(False, False), "cut_after": Fault(True, False),
    "half": Fault(True, False), "malformed": Fault(True, False), "error_in_200": Fault(False, False), "empty": Fault(True, True),
    "empty_no_usage": Fault(True, False), "no_usage": Fault(True, False), "slow": Fault(True, True),
}
ANSWERED = Fault(True, True)
ANSWERED_KINDS = ("", "slow", "no_usage")


@dataclasses.dataclass(frozen=True)
class ServerPlan:
    prices: dict                 # model -> Prices
    seed: str = "0"              # with a call's identity it decides what happens to that call
    faults: dict = dataclasses.field(default_factory=dict)  # kind -> share of the calls
    latency_ms: float = 0
    slow_ms: float = 300
    around_message: int = 4
    around_request: int = 3
    full_share: float = 0.2      # of answers that are cut at max_tokens
    cached_share: float = 0      # of a prompt's tokens
    reasoning: str = "included"  # or "beside": tokens that only total_tokens has
    hang_up_share: float = 0     # of answers after which the connection is closed without a word

    def __post_init__(self):
        assert self.around_message <= TOKENS_AROUND_MESSAGE_MAX and self.around_request <= TOKENS_AROUND_REQUEST_MAX
        assert set(self.faults) <= set(FAULTS) and sum(self.faults.values()) <= 1


@dataclasses.dataclass
class Ledger:
    """What was billed, as far as the server knows it: the truth."""
    billed_pico: int = 0
    known_pico: int = 0     # of it, what the caller was told exactly
    assumed_pico: int = 0   # the most that the calls may cost of which the caller knows nothing
    calls: int = 0
    unknown: int = 0        # calls of which the caller knows nothing
    hung_up: int = 0
    in_flight: int = 0
    in_flight_max: int = 0
    kinds: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    answered: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # by identity
    answer_bytes_max: collections.Counter = dataclasses.field(default_factory=collections.Counter)  # by step
    lines: list = dataclasses.field(default_factory=list)  # one for each call, for people


@dataclasses.dataclass
class Reply:
    status: int = 200
    headers: str = ""
    body: bytes = b""
    delay_s: float = 0
    cut: str = ""  # "all": closed without an answer; "half": in the middle of it
    hang_up: bool = False


class Desk:
    """What happens to one call, and what it costs."""

    def __init__(self, tokens, plan, ledger):
        self.tokens, self.plan, self.ledger = tokens, plan, ledger
        self.seen = collections.Counter()
        self.counted = {}  # texts that came before: prompts are tried again

    def serve(self, identity, body):
        plan, ledger = self.plan, self.ledger
        self.seen[identity] += 1
        draw = random.Random(f"{plan.seed}/{identity}/{self.seen[identity]}")
        kind = self._kind(draw)
        fault = FAULTS.get(kind, ANSWERED)
        prices = plan.prices[body["model"]]
        most = body["max_tokens"]
        sizes = [len(message["content"].encode()) for message in body["messages"]]
        read = sum(self._count(m["content"]) + plan.around_message for m in body["messages"]) + plan.around_request
        said = 0 if kind.startswith("empty") else most if draw.random() < plan.full_share else draw.randint(1, most)
        cached = int(read * plan.cached_share * draw.random())
        cost = (read - cached) * prices.input + cached * prices.cached + said * prices.output
        bound = ((sum(sizes) + TOKENS_AROUND_REQUEST_MAX + TOKENS_AROUND_MESSAGE_MAX * len(sizes)) *
                 max(prices.input, prices.cached) + most * prices.output)
        billed = cost if fault.billed else 0
        ledger.calls += 1
        ledger.kinds[kind] += 1
        ledger.billed_pico += billed
        ledger.known_pico += billed if fault.known else 0
        ledger.assumed_pico += 0 if fault.known else bound
        ledger.unknown += not fault.known
        ledger.lines.append(f"{identity} try {self.seen[identity]} {body['model']} {kind or 'answered'}: {read} in ({cached} cached, "
                            f"{sum(sizes)} bytes), {said} of {most} out, billed {billed}, bound {bound}")
        if kind in ANSWERED_KINDS:
            ledger.answered[identity] += 1
        return self._reply(kind, draw, identity, body, (read, cached, said))

    def _kind(self, draw):
        at = draw.random()
        for kind, share in self.plan.faults.items():
            at -= share
            if at < 0:
                return kind
        return ""

    def _count(self, text):
        if text not in self.counted:
            self.counted[text] = self.tokens.count(text)
        return self.counted[text]

    def _reply(self, kind, draw, identity, body, usage):
        reply = Reply(delay_s=self.plan.latency_ms * draw.uniform(0.5, 1.5) / 1000)
        failure = {"throttle": 429, "throttle_wait": 429, "500": 500, "502": 502, "503": 503, "504_idle": 504}.get(kind)
        if failure:
            reply.status, reply.body = failure, b'{"error":{"message":"not now","type":"busy"}}'
            reply.headers = "retry-after-ms: 30\r\n" if kind == "throttle_wait" else ""
        elif kind == "error_in_200":
            reply.body = b'{"error":{"message":"the engine fell over","type":"server_error"}}'
        elif kind == "malformed":
            reply.body = b'{"choices": [{"message": {"content": "half a'
        elif kind.startswith("cut"):
            reply.cut = "all"
        else:
            reply.body = self._answer(kind, draw, identity, body, usage)
            reply.cut = "half" if kind == "half" else ""
            reply.delay_s += self.plan.slow_ms / 1000 if kind == "slow" else 0
            reply.hang_up = draw.random() < self.plan.hang_up_share
        self.ledger.hung_up += reply.hang_up
        return reply

    def _answer(self, kind, draw, identity, body, usage):
        read, cached, said = usage
        silent = draw.randint(0, said - 1) if said > 1 and self.plan.reasoning != "none" and draw.random() < 0.3 else 0
        text = self.tokens.answer(draw, said - silent) if said else ""
        step = identity.rsplit("/", 1)[-1]
        self.ledger.answer_bytes_max[step] = max(self.ledger.answer_bytes_max[step], len(text.encode()))
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "model": body["model"], "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "length" if said == body["max_tokens"] else "stop"}]}
        if kind not in ("no_usage", "empty_no_usage"):
            told = said - silent if self.plan.reasoning == "beside" else said
            answer["usage"] = {"prompt_tokens": read, "completion_tokens": told, "total_tokens": read + said}
            if cached:
                answer["usage"]["prompt_tokens_details"] = {"cached_tokens": cached}
        return json.dumps(answer, ensure_ascii=False).encode()


class Connection(asyncio.Protocol):
    """HTTP/1.1, one request after the other, kept open."""

    def __init__(self, job):
        self.job, self.unread, self.timer, self.busy = job, b"", None, False

    def connection_made(self, transport):
        self.transport = transport
        self.job.connections.add(self)
        self.job.peers.add(transport.get_extra_info("peername")[1])

    def connection_lost(self, error):
        self.job.connections.discard(self)
        self._end_call()

    def data_received(self, data):
        self.unread += data
        if not self.busy:
            self._read_request()

    def _read_request(self):
        end = self.unread.find(b"\r\n\r\n")
        if end < 0:
            assert len(self.unread) <= HEAD_BYTES_MAX, "the head of a request is too large"
            return
        lines = self.unread[:end].decode("ascii").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        size = int(headers["content-length"])
        if len(self.unread) < end + 4 + size:
            return
        body, self.unread = self.unread[end + 4:end + 4 + size], self.unread[end + 4 + size:]
        self.busy = True
        ledger = self.job.ledger
        ledger.in_flight += 1
        ledger.in_flight_max = max(ledger.in_flight_max, ledger.in_flight)
        try:
            assert lines[0] == "POST /v1/chat/completions HTTP/1.1", lines[0]
            reply = self.job.desk.serve(headers["x-client-request-id"], json.loads(body))
        except Exception as error:  # told by settle(): it is the test that fails, not the call
            self.job.complaints.append(f"{type(error).__name__}: {error} in {lines[0]} {body[:500]!r}")
            self.transport.abort()
            return
        if reply.delay_s > 0:
            self.timer = asyncio.get_running_loop().call_later(reply.delay_s, self._write, reply)
        else:
            self._write(reply)

    def _write(self, reply):
        self._end_call()
        if reply.cut == "all":
            self.transport.abort()
            return
        head = (f"HTTP/1.1 {reply.status} Status\r\nContent-Type: application/json\r\n{reply.headers}"
                f"Content-Length: {len(reply.body)}\r\n\r\n").encode()
        self.transport.write(head + (reply.body[:len(reply.body) // 2] if reply.cut else reply.body))
        if reply.cut or reply.hang_up:
            self.transport.close()
        elif self.unread:
            self._read_request()

    def _end_call(self):
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.busy:
            self.busy = False
            self.job.ledger.in_flight -= 1


class JobServer:
    """The port of one job, and its books."""

    def __init__(self, loop, tokens, plan):
        self.loop, self.ledger = loop, Ledger()
        self.desk = Desk(tokens, plan, self.ledger)
        self.connections, self.peers, self.complaints = set(), set(), []
        self.server = self._wait(loop.create_server(lambda: Connection(self), "127.0.0.1", 0, backlog=256))
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def _wait(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SETTLE_S_MAX + 5)

    def settle(self):
        """Once the client is gone: all that it has sent is read and billed. Connections are accepted in order, so when one
        of ours is, all of the client's were; each ends with what was sent on it."""
        self._wait(self._settle())
        assert not self.complaints, self.complaints

    async def _settle(self):
        async with asyncio.timeout(SETTLE_S_MAX):
            _, ours = await asyncio.open_connection("127.0.0.1", self.port)
            port = ours.get_extra_info("sockname")[1]
            while port not in self.peers:
                await asyncio.sleep(0.001)
            ours.close()
            await ours.wait_closed()
            while self.connections:
                await asyncio.sleep(0.001)
            self.peers.clear()

    def close(self):
        async def close():
            self.server.close()
        self._wait(close())


class TokenServer:
    def __init__(self, tokens):
        self.tokens = tokens
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="token-server", daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(SETTLE_S_MAX)
        self.loop.close()

    def open(self, plan):
        return JobServer(self.loop, self.tokens, plan)
