"""libiscsi's initiator for scripts: sessions, commands by their bytes, task management.

The shared library of the package libiscsi7, by its public header; nothing else is needed.
"""
import contextlib
import ctypes
import select
import time

_NORMAL_SESSION = 2
_TRANSFER_NONE, _TRANSFER_READ, _TRANSFER_WRITE = 0, 1, 2

GOOD, CHECK_CONDITION, CONDITION_MET, BUSY = 0x00, 0x02, 0x04, 0x08
RESERVATION_CONFLICT, TASK_SET_FULL, ACA_ACTIVE, TASK_ABORTED = 0x18, 0x28, 0x30, 0x40
# What the library itself says of a command that got no answer.
CANCELLED, ERROR, TIMED_OUT = 0x0f000000, 0x0f000001, 0x0f000002

UNIT_ATTENTION, ILLEGAL_REQUEST, NOT_READY, DATA_PROTECT = 0x6, 0x5, 0x2, 0x7

(ABORT_TASK, ABORT_TASK_SET, CLEAR_ACA, CLEAR_TASK_SET,
 LUN_RESET, TARGET_WARM_RESET, TARGET_COLD_RESET, TASK_REASSIGN) = range(1, 9)
FUNCTION_COMPLETE = 0


class _Sense(ctypes.Structure):
    _fields_ = [('error_type', ctypes.c_ubyte), ('key', ctypes.c_int), ('ascq', ctypes.c_int),
                ('bits', ctypes.c_ubyte), ('bit_pointer', ctypes.c_ubyte), ('field_pointer', ctypes.c_uint16)]


class _Bytes(ctypes.Structure):
    _fields_ = [('size', ctypes.c_int), ('data', ctypes.POINTER(ctypes.c_ubyte))]


class _Data(ctypes.Structure):
    _fields_ = [('size', ctypes.c_size_t), ('data', ctypes.c_char_p)]


class _Task(ctypes.Structure):
    _fields_ = [('status', ctypes.c_int), ('cdb_size', ctypes.c_int), ('xfer_dir', ctypes.c_int),
                ('expxferlen', ctypes.c_int), ('cdb', ctypes.c_ubyte * 16), ('residual_status', ctypes.c_int),
                ('residual', ctypes.c_size_t), ('sense', _Sense), ('datain', _Bytes), ('mem', ctypes.c_void_p),
                ('ptr', ctypes.c_void_p), ('itt', ctypes.c_uint32), ('cmdsn', ctypes.c_uint32),
                ('lun', ctypes.c_uint32)]


_TaskPointer = ctypes.POINTER(_Task)
_Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)


def _load():
    library = ctypes.CDLL('libiscsi.so.7')
    for name, result, arguments in (
            ('iscsi_create_context', ctypes.c_void_p, [ctypes.c_char_p]),
            ('iscsi_destroy_context', ctypes.c_int, [ctypes.c_void_p]),
            ('iscsi_disconnect', ctypes.c_int, [ctypes.c_void_p]),
            ('iscsi_set_targetname', ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]),
            ('iscsi_set_session_type', ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]),
            ('iscsi_set_timeout', ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]),
            ('iscsi_set_noautoreconnect', None, [ctypes.c_void_p, ctypes.c_int]),
            ('iscsi_set_isid_random', ctypes.c_int, [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint32]),
            ('iscsi_connect_sync', ctypes.c_int, [ctypes.c_void_p, ctypes.c_char_p]),
            ('iscsi_login_sync', ctypes.c_int, [ctypes.c_void_p]),
            ('iscsi_logout_sync', ctypes.c_int, [ctypes.c_void_p]),
            ('iscsi_get_error', ctypes.c_char_p, [ctypes.c_void_p]),
            ('iscsi_get_fd', ctypes.c_int, [ctypes.c_void_p]),
            ('iscsi_which_events', ctypes.c_int, [ctypes.c_void_p]),
            ('iscsi_service', ctypes.c_int, [ctypes.c_void_p, ctypes.c_int]),
            ('scsi_create_task', _TaskPointer, [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_int]),
            ('scsi_free_scsi_task', None, [_TaskPointer]),
            ('iscsi_scsi_command_async', ctypes.c_int,
             [ctypes.c_void_p, ctypes.c_int, _TaskPointer, _Callback, ctypes.POINTER(_Data), ctypes.c_void_p]),
            ('iscsi_task_mgmt_async', ctypes.c_int,
             [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_uint32, ctypes.c_uint32, _Callback,
              ctypes.c_void_p])):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load()


class Failed(Exception):
    """The library could not do what was asked: connect, log in, send."""


class Answer:
    """How a command ended. `sense` is (key, ASC, ASCQ) or None; `sense_data` is all of it, in fixed format."""

    def __init__(self, status, task):
        self.status = status
        self.sense, self.sense_data, self.data = None, b'', b''
        received = b''
        if task.datain.size > 0 and task.datain.data:
            received = ctypes.string_at(task.datain.data, task.datain.size)
        if status == CHECK_CONDITION:
            self.sense = (task.sense.key, task.sense.ascq >> 8, task.sense.ascq & 0xff)
            self.sense_data = received[2:]      # behind SENSELENGTH (RFC 7143 11.4.7)
        else:
            self.data = received

    def __repr__(self):
        sense = ' %x/%02X/%02X' % self.sense if self.sense else ''
        return f'status {self.status:#x}{sense}'


class Command:
    """One that was sent and may not have ended yet."""

    def __init__(self, initiator, cdb, data_out, read_bytes, lun):
        self.answer = None
        direction = _TRANSFER_WRITE if data_out else _TRANSFER_READ if read_bytes else _TRANSFER_NONE
        self._initiator = initiator
        self._task = _library.scsi_create_task(len(cdb), bytes(cdb), direction, len(data_out) or read_bytes)
        self._out = bytes(data_out)
        self._data = _Data(len(self._out), self._out) if self._out else None
        self._callback = _Callback(self._ended)
        if _library.iscsi_scsi_command_async(initiator.context, lun, self._task, self._callback,
                                             ctypes.byref(self._data) if self._data else None, None) != 0:
            raise Failed(initiator.error())
        self.tags = self._task.contents.itt, self._task.contents.cmdsn
        # Its header leaves now; the answer may come later.
        initiator.serve(0)

    def wait(self, seconds=30):
        self._initiator.serve_until(lambda: self.answer is not None, seconds)
        return self.answer

    def free(self):
        """What the library holds of a command that has ended."""
        if self._task:
            _library.scsi_free_scsi_task(self._task)
            self._task = None

    def _ended(self, _context, status, _data, _private):
        self.answer = Answer(status, self._task.contents)


class Initiator:
    """One session of one initiator port."""

    def __init__(self, name, portal, target, lun=0, timeout_s=0, isid=None):
        self.lun, self._commands = lun, []
        self.context = _library.iscsi_create_context(name.encode())
        _library.iscsi_set_noautoreconnect(self.context, 1)
        if isid is not None:
            _library.iscsi_set_isid_random(self.context, isid, 0)
        _library.iscsi_set_targetname(self.context, target.encode())
        _library.iscsi_set_session_type(self.context, _NORMAL_SESSION)
        _library.iscsi_set_timeout(self.context, timeout_s)
        # Without the library's own TEST UNIT READYs, which would take unit attentions away.
        if _library.iscsi_connect_sync(self.context, portal.encode()) != 0:
            raise Failed(self.error())
        if _library.iscsi_login_sync(self.context) != 0:
            raise Failed(self.error())

    def error(self):
        return (_library.iscsi_get_error(self.context) or b'').decode()

    def send(self, cdb, data_out=b'', read_bytes=0, lun=None):
        command = Command(self, cdb, data_out, read_bytes, self.lun if lun is None else lun)
        ended = [one for one in self._commands if one.answer is not None]
        for one in ended:
            one.free()
        # What the library still points to must live.
        self._commands = [one for one in self._commands if one.answer is None] + [command]
        return command

    def command(self, cdb, data_out=b'', read_bytes=0, lun=None):
        return self.send(cdb, data_out, read_bytes, lun).wait()

    def manage(self, function, command=None, lun=None, seconds=30):
        """The response code of a task management function."""
        tag, number = command.tags if command else (0xffffffff, 0)
        response = []

        def ended(_context, _status, data, _private):
            response.append(ctypes.cast(data, ctypes.POINTER(ctypes.c_uint32))[0] if data else None)

        callback = _Callback(ended)
        if _library.iscsi_task_mgmt_async(self.context, self.lun if lun is None else lun, function, tag, number,
                                          callback, None) != 0:
            raise Failed(self.error())
        self.serve_until(lambda: response, seconds)
        return response[0]

    def serve(self, seconds):
        """Sends and receives what there is, for at most so long."""
        descriptor = _library.iscsi_get_fd(self.context)
        poll = select.poll()
        poll.register(descriptor, _library.iscsi_which_events(self.context))
        events = poll.poll(seconds * 1000)
        if _library.iscsi_service(self.context, events[0][1] if events else 0) != 0:
            raise Failed(self.error())

    def serve_until(self, condition, seconds):
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                raise Failed('no answer within %d s' % seconds)
            self.serve(min(left, 0.5))

    def logout(self):
        _library.iscsi_logout_sync(self.context)
        self.close()

    def close(self):
        """The connection is cut, without a word."""
        if self.context:
            _library.iscsi_disconnect(self.context)
            _library.iscsi_destroy_context(self.context)
            self.context = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Failed):
            self.close()
