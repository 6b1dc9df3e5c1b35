/** How stored objects become answers: related objects are put in where `expand` asks, costly fields left out where not. */

import type { Account } from './account.js';
import { ApiError } from './api-error.js';
import type { ObjectKind } from './object-kinds.js';

/**
 * What a field is, in an object of some type: the id of another object, a stored field that shows only when asked for, a
 * list of which only the first are shown, or a value that is computed when asked for.
 */
type Expansion =
  | { to: ObjectKind | readonly ObjectKind[] }
  | 'on_request'
  | { first: number }
  | { compute(account: Account, id: string): object };

/** The expandable fields of each object type (`object` on the wire), by name. */
export type Expansions = Record<string, Record<string, Expansion>>;

/** Stripe: "Expansions have a maximum depth of four levels" (docs.stripe.com/expand). */
const levelsMax = 4;

/** Paths as a tree: `['a.b', 'a.c']` is `{a: {b: {}, c: {}}}`. */
interface PathTree {
  [field: string]: PathTree;
}

/** The answer for a stored object or list. Throws Stripe's error on a path that cannot be expanded. */
export function render(account: Account, value: object, expand: string[], expansions: Expansions): object {
  const tree: PathTree = {};
  for (const path of expand) {
    const fields = path.split('.');
    if (fields.filter((field) => field !== 'data').length > levelsMax) {
      throw new ApiError(`You cannot expand more than ${levelsMax} levels of a property. Property: ${path}`, {
        param: 'expand',
      });
    }
    let at = tree;
    for (const field of fields) {
      at[field] ??= {};
      at = at[field];
    }
  }
  return renderObject({ account, expansions }, value, tree, '');
}

interface Context {
  account: Account;
  expansions: Expansions;
}

function renderObject(context: Context, source: object, tree: PathTree, path: string): object {
  const known = context.expansions['object' in source ? String(source.object) : ''] ?? {};
  const answer: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(source)) {
    const wanted = tree[field];
    if (known[field] === 'on_request' && wanted === undefined) continue;
    const here = path === '' ? field : `${path}.${field}`;
    answer[field] = renderField(context, firstOf(value, known[field]), wanted, here, wanted && known[field]);
  }
  for (const [field, wanted] of Object.entries(tree)) {
    if (field in source) continue;
    const expansion = known[field];
    const here = path === '' ? field : `${path}.${field}`;
    if (expansion === undefined) throw cannotExpand(here);
    if (typeof expansion === 'object' && 'compute' in expansion && 'id' in source) {
      const computed = expansion.compute(context.account, String(source.id));
      answer[field] = renderObject(context, computed, wanted, here);
    }
  }
  return answer;
}

function renderField(
  context: Context,
  value: unknown,
  tree: PathTree | undefined,
  path: string,
  expansion: Expansion | undefined,
): unknown {
  if (Array.isArray(value)) return value.map((each) => renderField(context, each, tree, path, expansion));
  if (typeof value === 'object' && value !== null) return renderObject(context, value, tree ?? {}, path);
  if (typeof value === 'string' && typeof expansion === 'object' && 'to' in expansion) {
    const related = find(context.account, expansion.to, value);
    return related ? renderObject(context, related, tree ?? {}, path) : value;
  }
  if (tree !== undefined && expansion === undefined) throw cannotExpand(path);
  return value;
}

/** The first of a stored list; `has_more` says that its own address has the rest. */
function firstOf(value: unknown, expansion: Expansion | undefined): unknown {
  if (typeof expansion !== 'object' || !('first' in expansion)) return value;
  // Only lists in Stripe's shape are declared so.
  const list = value as { data: unknown[]; has_more: boolean };
  if (list.data.length <= expansion.first) return value;
  return { ...list, data: list.data.slice(0, expansion.first), has_more: true };
}

function find(account: Account, kinds: ObjectKind | readonly ObjectKind[], id: string): object | undefined {
  for (const kind of typeof kinds === 'string' ? [kinds] : kinds) {
    const object = account.objects.get(kind, id);
    if (object) return object;
  }
  return undefined;
}

function cannotExpand(path: string): ApiError {
  return new ApiError(`This property cannot be expanded (${path}).`, { param: 'expand' });
}
