/** The view library: Preact with tagged templates, and signals that re-render the components which read them. */

import { plain } from "./plain.js";
import { Component, createElement, Fragment, options, render } from "./vendor/preact.js";
import { useEffect, useId, useLayoutEffect, useMemo, useReducer, useRef, useState } from "./vendor/hooks.js";
import htm from "./vendor/htm.js";
import { batch, computed, effect, signal } from "./vendor/signals.js";

/** Attributes that people read. */
const READ = ["title", "alt", "placeholder", "aria-label"];

// All texts on the page are harmless, wherever they come from.
const before = options.vnode;
options.vnode = (node) => {
  const made = /** @type {{type: unknown, props: any}} */ (node);
  if (typeof made.props === "string") {
    made.props = plain(made.props);
  } else if (typeof made.type === "string") {
    for (const name of READ) if (made.props[name]) made.props[name] = plain(made.props[name]);
  }
  before?.(node);
};

/** Makes elements from a template: html`<p class="muted">${text}</p>`. */
export const html = htm.bind(createElement);

/**
 * Returns the value of a signal, and renders the component again when it changes.
 *
 * @template T
 * @param {import("./vendor/signals.js").ReadonlySignal<T>} source
 * @returns {T}
 */
export function useValue(source) {
  const [, update] = useReducer((/** @type {number} */ count) => count + 1, 0);
  useLayoutEffect(() => {
    const shown = source.peek();
    return effect(() => {
      if (source.value !== shown) update(undefined);
    });
  });
  return source.value;
}

/** The pause between two renderings of a component in a hidden page, in milliseconds. */
const HIDDEN_PAUSE = 100;

/**
 * Renders the component again when a target dispatches an event, at most once per frame of the screen. In a hidden page,
 * which has no frames, it renders after a pause.
 *
 * @param {EventTarget | null | undefined} target
 * @param {string} type the type of the event
 */
export function useChanges(target, type = "change") {
  const [, update] = useReducer((/** @type {number} */ count) => count + 1, 0);
  useEffect(() => {
    if (!target) return undefined;
    let frame = 0;
    let timer = 0;
    const onFrame = () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      timer = frame = 0;
      update(undefined);
    };
    const onChange = () => {
      if (document.hidden) timer ||= window.setTimeout(onFrame, HIDDEN_PAUSE);
      else frame ||= requestAnimationFrame(onFrame);
    };
    target.addEventListener(type, onChange);
    // A change between the rendering and this effect.
    onChange();
    return () => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      target.removeEventListener(type, onChange);
    };
  }, [target, type]);
}

export {
  batch,
  Component,
  computed,
  effect,
  Fragment,
  render,
  signal,
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
};
