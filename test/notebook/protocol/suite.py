"""jupyter_kernel_test against the installed kernel: see docs/protocol.md.

    JUPYTER_PATH=... python suite.py -v
"""
import unittest
from queue import Empty

import jupyter_kernel_test


class RifleKernelTests(jupyter_kernel_test.KernelTests):
    kernel_name = "rifle"
    language_name = "typescript"
    file_extension = ".ts"
    code_hello_world = "console.log('hello, world')"
    code_stderr = "console.error('oops')"
    completion_samples = [
        {"text": "[1].findLas", "matches": {"findLast", "findLastIndex"}},
        {"text": "JSON.pars", "matches": {"parse"}},
    ]
    complete_code_samples = ["1", "const a: number = 1", "function f(x: number): number {\n  return x;\n}", "for (const x of [1]) {}\n"]
    incomplete_code_samples = ["function f() {", "const a = [1,", "`text", "if (true) {", "/* text"]
    invalid_code_samples = ["const = 1", "1 +* 2", "}"]
    code_generate_error = "throw new Error('no')"
    code_execute_result = [
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": "[1, 2].map((x) => x * 2)", "result": "[ 2, 4 ]"},
        {"code": "1 + 2 + 3", "result": "6"},
        {"code": "'a'.padStart(3, '-')", "result": "--a"},
        {"code": "1 + 2 + 4", "result": "7"},
    ]
    code_display_data = [
        {"code": "import { html, md, show } from 'rifle-kit';\nawait show(html`<b>1</b>`)", "mime": "text/html"},
        {"code": "await show(md`**1**`)", "mime": "text/markdown"},
    ]
    code_history_pattern = "1 ? 2 + 3*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "parseFloat"

    def reply(self, code, **options):
        self.flush_channels()
        self.kc.execute(code, **options)
        return self.get_non_kernel_info_reply(timeout=15)["content"]

    def drain(self):
        """The suite has no schema for messages of comms."""
        while True:
            try:
                self.kc.get_iopub_msg(timeout=0.3)
            except Empty:
                return

    def test_silent_and_history(self):
        """A silent cell and one without history are not counted."""
        count = self.reply("1")["execution_count"]
        self.assertEqual(self.reply("2", silent=True)["execution_count"], count)
        self.assertEqual(self.reply("2", store_history=False)["execution_count"], count)
        self.assertEqual(self.reply("2")["execution_count"], count + 1)

    def test_user_expressions(self):
        found = self.reply("const seven = 7", user_expressions={"good": "seven + 1", "bad": "seven."})["user_expressions"]
        self.assertEqual(found["good"]["data"]["text/plain"], "8")
        self.assertEqual(found["bad"]["status"], "error")

    def test_stdin(self):
        """input_request and input_reply."""
        self.flush_channels()
        self.kc.execute("import { prompt } from 'rifle-kit';\n(await prompt('name? ', { password: true })) + '!'", allow_stdin=True)
        asked = self.kc.get_stdin_msg(timeout=15)
        self.assertEqual(asked["content"], {"prompt": "name? ", "password": True})
        self.kc.input("Ada")
        self.assertEqual(self.get_non_kernel_info_reply(timeout=15)["content"]["status"], "ok")
        self.assertEqual(self.reply("await prompt()", allow_stdin=False)["ename"], "KitError [NOTEBOOK_NO_STDIN]")

    def test_comms(self):
        """comm_open, comm_info, comm_msg and comm_close."""
        self.flush_channels()
        self.reply("import { widget } from 'rifle-kit';\nconst w = widget({ esm: 'export default {}', state: { n: 1 } });")
        self.kc.shell_channel.send(self.kc.session.msg("comm_info_request", {"target_name": "jupyter.widget"}))
        (comm,) = self.get_non_kernel_info_reply(timeout=15)["content"]["comms"]
        change = {"comm_id": comm, "data": {"method": "update", "state": {"n": 5}, "buffer_paths": []}}
        self.kc.shell_channel.send(self.kc.session.msg("comm_msg", change))
        self.drain()
        self.assertEqual(self.reply("0", user_expressions={"n": "w.state.n"})["user_expressions"]["n"]["data"]["text/plain"], "5")
        self.kc.shell_channel.send(self.kc.session.msg("comm_close", {"comm_id": comm, "data": {}}))
        self.kc.shell_channel.send(self.kc.session.msg("comm_info_request", {}))
        self.assertEqual(self.get_non_kernel_info_reply(timeout=15)["content"]["comms"], {})


if __name__ == "__main__":
    unittest.main()
