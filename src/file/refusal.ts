/** What the system answers about a lock file, as an error that a person understands. */
import { BackendUnavailableError } from '../errors.js';

const reasons: Record<string, string> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the file system is read-only',
  EISDIR: 'it is a directory',
  ENOENT: 'a folder on the path is not there, and cannot be made',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'it is a symbolic link, which is not followed, or the path has too many of them',
  ENAMETOOLONG: 'the path is too long',
  EMFILE: 'this process has too many files open',
  ENFILE: 'the system has too many files open',
  ENOSPC: 'there is no space left',
  ENOLCK: 'the file system gives no locks',
  EOPNOTSUPP: 'the file system has no flock, or cannot map files',
  ENOTSUP: 'the file system has no flock, or cannot map files',
  ENOSYS: 'the file system has no flock',
  EINVAL: 'the file system has no flock',
  ENODEV: 'the file system cannot map files',
};

/** `what`: such as "cannot be opened". */
export function refusal(path: string, what: string, error: unknown): BackendUnavailableError {
  const { code = 'unknown error', message } = error as NodeJS.ErrnoException;
  const reason = reasons[code] ?? message;
  return new BackendUnavailableError(`the lock file ${path} ${what}: ${code}, ${reason}`, { cause: error });
}

/** What is at the path is not what it must be; nothing of it was changed. */
export function unfit(path: string, what: string): BackendUnavailableError {
  return new BackendUnavailableError(`${path} ${what}`);
}
