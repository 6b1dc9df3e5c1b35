/** The few values an account has one of, kept in the database so that all processes agree. */

import type { Database } from './database.js';

/** Named texts. */
export interface Settings {
  get(key: string): string | undefined;
  set(key: string, value: string): void;
  /** The value, after writing `initial()` where there was none. Atomic between processes. */
  once(key: string, initial: () => string): string;
}

/** The settings in an open file. */
export function createSettings(database: Database): Settings {
  const { sql } = database;
  const select = sql.prepare<[string], { value: string }>('SELECT value FROM settings WHERE key = ?');
  const upsert = sql.prepare<[string, string]>(
    'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  );
  const settings: Settings = {
    get: (key) => select.get(key)?.value,
    set: (key, value) => void upsert.run(key, value),
    once: (key, initial) =>
      settings.get(key) ??
      database.write(() => {
        const present = settings.get(key);
        if (present !== undefined) return present;
        const value = initial();
        settings.set(key, value);
        return value;
      }),
  };
  return settings;
}
